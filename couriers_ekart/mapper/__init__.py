"""Translate neutral requests into Ekart's JSON, and Ekart's answers into neutral dataclasses. Pure.

`refusals` finds what Ekart would refuse, `payloads` builds the bodies that are sent, `answers` and
`tracking` read what comes back. Money stays Decimal until the last step, where the document wants
JSON numbers. Nothing here does I/O, knows tables, or raises anything but couriers.contract.errors.
"""
