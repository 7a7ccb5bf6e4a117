"""Translate neutral requests into Delhivery's fields, and its answers into neutral dataclasses.

`refusals` finds what Delhivery would refuse, `payloads` builds what is sent, `bookings`, `answers`
and `tracking` read what comes back. Nothing here does I/O, knows tables, or raises anything but
couriers.contract.errors.
"""
