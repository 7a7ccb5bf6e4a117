"""Prices of lanes, and the pincodes that couriers serve."""
