"""Translate between the contract's dataclasses and Velocity's JSON. Pure, without I/O."""
