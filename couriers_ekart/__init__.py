"""Ekart (Flipkart Logistics) for Shipcrowd: API v3.8.8."""
