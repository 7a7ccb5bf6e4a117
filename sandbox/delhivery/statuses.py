"""The statuses of Delhivery's shipments and the ways through them. Pure.

A status is the text TYPE/Status/NSL, such as UD/Pending/EOD-11.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sandbox.checks import require


@dataclass(frozen=True, slots=True)
class Status:
    """The three parts of a status: the word alone, or the type alone, says nothing."""

    type: str
    word: str
    code: str

    @classmethod
    def parse(cls, text: str) -> Status:
        """Read TYPE/Status/NSL. Raises Refused."""
        parts = text.split("/")
        require(len(parts) == 3 and all(parts), "a status is TYPE/Status/NSL")
        return cls(*parts)

    def spelt(self, spelling: str) -> str:
        """The word as it is spelt: `usual`, `upper`, or with `cancelled` in British English."""
        if spelling == "cancelled":
            return self.word.replace("Canceled", "Cancelled")
        return self.word.upper() if spelling == "upper" else self.word


MANIFESTED, NOT_PICKED_YET = "UD/Manifested/X-UCI", "UD/Not Picked/X-PNP"
RETURN_OPEN = "PP/Open/X-UCI"
CANCEL_CODE = "DTUP-210"

TO_PICKUP = ("UD/Manifested/FMPUR-101", "UD/Manifested/FMOFP-101")
TO_CENTRE = (
    "UD/In Transit/X-PPOM", "UD/In Transit/X-PIOM", "UD/In Transit/X-DLL2F", "UD/Pending/X-IBD3F",
)  # fmt: skip
OUT = "UD/Dispatched/X-DDD3FD"
DELIVERED = "DL/Delivered/EOD-38"
REASONS = ("EOD-11", "EOD-6", "EOD-74", "EOD-15", "EOD-69")
UNDELIVERED = "UD/Pending/EOD-11"
RTO = (
    "RT/In Transit/RT-101", "RT/In Transit/X-DLL2F", "RT/Pending/X-IBD3F", "RT/Dispatched/X-DDD3FD",
    "DL/RTO/RT-110",
)  # fmt: skip
REATTEMPT = ("UD/Dispatched/ST-114", DELIVERED)

# What follows a booking, by the outcome that is drawn for it.
FORWARD: dict[str, tuple[str, ...]] = {
    "delivered": (*TO_PICKUP, *TO_CENTRE, OUT, DELIVERED),
    "undelivered": (*TO_PICKUP, *TO_CENTRE, OUT, UNDELIVERED),
    "rto": (*TO_PICKUP, *TO_CENTRE, OUT, UNDELIVERED, *RTO),
    "recovered": (*TO_PICKUP, *TO_CENTRE, OUT, UNDELIVERED, *REATTEMPT),
    "lost": (*TO_PICKUP, *TO_CENTRE[:3], "LT/LOST/LT-100"),
    "not_picked": (*TO_PICKUP, "UD/Not Picked/FMEOD-103"),
}
RETURN = (
    "PP/Scheduled/X-ASP", "PP/Dispatched/X-DDD3FP", "PU/In Transit/EOD-77", "PU/In Transit/X-DLL2F",
    "PU/Pending/X-IBD3F", "PU/Dispatched/X-DDD3FD", "DL/DTO/EOD-38",
)  # fmt: skip
PICKUP_CANCELLED = "CN/Canceled/EOD-777"
# The ways of a return that is never fetched; every other outcome brings it to the warehouse.
RETURNS: dict[str, tuple[str, ...]] = {
    "not_picked": ("PP/Scheduled/X-ASP", "PP/Dispatched/X-DDD3FP", PICKUP_CANCELLED),
    "undelivered": ("PP/Scheduled/X-ASP", "PP/Dispatched/X-DDD3FP", "PP/Scheduled/EOD-65"),
    "lost": (*RETURN[:4], "LT/LOST/LT-100"),
}
RESCHEDULED = RETURN

ENDS = ("DL", "LT")  # types whose every status is an end


def may_be_cancelled(status: str) -> bool:
    """Whether /api/p/edit takes a shipment in this status."""
    now = Status.parse(status)
    if now.type == "UD":
        return now.word in ("Manifested", "Not Picked", "In Transit", "Pending")
    return now.type == "PP" and now.word in ("Scheduled", "Open")


def is_before_pickup(status: str) -> bool:
    """Whether a forward shipment is still with its seller."""
    now = Status.parse(status)
    return now.type == "UD" and now.word in ("Manifested", "Not Picked")


def with_reason(status: str, order_number: str) -> str:
    """The status with a reason drawn for the order where it says that nobody was there."""
    if status != UNDELIVERED:
        return status
    digest = hashlib.sha256(order_number.encode()).digest()
    return f"UD/Pending/{REASONS[digest[0] % len(REASONS)]}"
