"""Chaos tests: the platform works while its processes are killed and its servers restarted."""
