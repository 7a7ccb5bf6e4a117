"""What is done to a shipment under way."""
