"""Translate neutral requests into Velocity's JSON, and its answers into neutral dataclasses. Pure.

Weights are kilograms in orders and grams in rates. Nothing here raises anything but
couriers.contract.errors.
"""
