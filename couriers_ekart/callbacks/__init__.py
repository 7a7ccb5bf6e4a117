"""Ekart's callbacks: reading and registering them."""
