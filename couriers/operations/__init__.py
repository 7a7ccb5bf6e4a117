"""Operators' decisions and evidence, and the upkeep of a deployment: metrics, health, retention."""
