"""Ekart's calls: paths, limits, and what its answers mean. couriers.http makes the calls."""
