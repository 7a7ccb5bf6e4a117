"""Translates neutral requests into Delhivery's fields, and its answers into ours. Without I/O."""
