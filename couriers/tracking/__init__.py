"""Scans and events in, the shipment's status out."""
