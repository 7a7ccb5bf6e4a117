"""Booking a shipment exactly once."""
