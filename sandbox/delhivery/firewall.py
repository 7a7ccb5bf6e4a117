"""The firewall, which turns away an address that calls too fast."""

from __future__ import annotations

import time
from collections import defaultdict, deque

from aiohttp import web

from sandbox.delhivery.answers import BehindFirewall
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.operations import current_call

WINDOW, MINUTE = 300.0, 60.0  # seconds
# Calls in a window, by operation.
LIMITS = {
    "create_shipment": 20_000, "edit": 12_200, "track": 750, "pincodes": 4_500,
    "expected_tat": 750, "charges": 50, "label": 3_000, "pickup": 4_000, "bulk_waybills": 5,
    "fetch_waybill": 750, "e_way_bill": 250,
}  # fmt: skip
A_MINUTE = {"create_warehouse": 10, "edit_warehouse": 10}


class Firewall:
    """Counts the calls of each address where the switch `limits` is on.

    With the switch `limit_window` the windows are shorter, a minute's in the same proportion.
    """

    def __init__(self, switches: DelhiverySwitches) -> None:
        self._switches = switches
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def check(self, request: web.Request) -> None:
        """Count a call. Raises BehindFirewall for one too many."""
        operation = current_call().operation
        most = LIMITS.get(operation) or A_MINUTE.get(operation)
        if not self._switches.limits or most is None:
            return
        window = self._switches.limit_window
        if operation in A_MINUTE:
            window *= MINUTE / WINDOW
        now = time.monotonic()
        calls = self._calls[(request.remote or "", operation)]
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            raise BehindFirewall("too many calls")
        calls.append(now)
