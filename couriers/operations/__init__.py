"""What operators and deployments need."""
