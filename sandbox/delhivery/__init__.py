"""Delhivery's stand-in: the B2C API of track.delhivery.com, with its oddities."""
