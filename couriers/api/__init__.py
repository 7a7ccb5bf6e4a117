"""The REST API, one module for each resource. problems.py maps errors to responses."""
