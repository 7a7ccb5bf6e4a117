"""Numbers of waybills: reserved by calls, and given to shipments that bring none."""

from __future__ import annotations

import itertools
import math
import secrets
import time
from dataclasses import dataclass

from sandbox.delhivery.switches import DelhiverySwitches

BATCH = 25  # how many numbers are made at once


@dataclass(slots=True)
class Number:
    """A reserved waybill: whose it is, and from which time of the monotonic clock it is usable."""

    client: str
    usable_from: float
    used: bool = False


class Waybills:
    """Every number that was given out, of all accounts. No number is given out twice."""

    def __init__(self, switches: DelhiverySwitches) -> None:
        self._switches = switches
        # Clients remember the numbers of earlier runs, so those of each run must differ.
        self._run = secrets.randbelow(90_000) + 10_000
        self._serials = itertools.count(1)
        self._reserved: dict[str, Number] = {}

    def reserve(self, client: str, count: int) -> list[str]:
        """New numbers of an account; those beyond the first batch are not usable at once."""
        now = time.monotonic()
        made = [self._next() for _ in range(math.ceil(count / BATCH) * BATCH)][:count]
        for position, number in enumerate(made):
            is_fresh = position >= BATCH
            usable = now + (self._switches.fresh_lag if is_fresh else 0)
            self._reserved[number] = Number(client, usable)
        return made

    def problem_of(self, client: str, waybill: str) -> str:
        """Why a shipment cannot have this number, in Delhivery's words, or an empty text."""
        number = self._reserved.get(waybill)
        if number is None or number.client != client:
            return f"wbn: {waybill} is not available"
        if number.used:
            return "Duplicate waybill"
        if number.usable_from > time.monotonic():
            return f"Unable to consume waybill {waybill} for client {client}"
        return ""

    def take(self, client: str, waybill: str) -> str:
        """Use up a reserved number, or a new one where the text is empty."""
        if not waybill:
            waybill = self._next()
            self._reserved[waybill] = Number(client, 0.0)
        self._reserved[waybill].used = True
        return waybill

    def _next(self) -> str:
        return f"{self._run}{next(self._serials):08d}"
