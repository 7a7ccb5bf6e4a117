"""Ekart's callbacks: verify and read them, and register our URLs with Ekart."""
