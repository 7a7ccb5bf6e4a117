"""Delhivery for Shipcrowd: its B2C API of 2026."""
