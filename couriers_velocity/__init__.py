"""Velocity Shipping, an aggregator that books with several carriers, for Shipcrowd."""
