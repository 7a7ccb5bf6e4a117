"""Prices and serviceability."""
