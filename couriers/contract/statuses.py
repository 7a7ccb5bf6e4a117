"""The neutral statuses of a shipment, and the mapping of a courier's statuses to them.

No courier is named here: each plug-in gives its own table to a StatusMapper.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from django.db import models


class Status(models.TextChoices):
    """The status of a shipment; the same for every courier."""

    BOOKING = "booking", "Booking"
    IN_DOUBT = "in_doubt", "In doubt"
    FAILED = "failed", "Failed"
    BOOKED = "booked", "Booked"
    PICKUP_PENDING = "pickup_pending", "Pickup pending"
    PICKUP_SCHEDULED = "pickup_scheduled", "Pickup scheduled"
    OUT_FOR_PICKUP = "out_for_pickup", "Out for pickup"
    NOT_PICKED = "not_picked", "Not picked"
    PICKUP_CANCELLED = "pickup_cancelled", "Pickup cancelled"
    PICKED_UP = "picked_up", "Picked up"
    IN_TRANSIT = "in_transit", "In transit"
    DELAYED = "delayed", "Delayed"
    OUT_FOR_DELIVERY = "out_for_delivery", "Out for delivery"
    UNDELIVERED = "undelivered", "Undelivered"
    DELIVERED = "delivered", "Delivered"
    NOT_SERVICEABLE = "not_serviceable", "Not serviceable"
    CANCELLED = "cancelled", "Cancelled"
    RTO_REQUESTED = "rto_requested", "RTO requested"
    RTO_IN_TRANSIT = "rto_in_transit", "RTO in transit"
    RTO_DELAYED = "rto_delayed", "RTO delayed"
    RTO_OUT_FOR_DELIVERY = "rto_out_for_delivery", "RTO out for delivery"
    RTO_FAILED = "rto_failed", "RTO failed"
    RTO_DELIVERED = "rto_delivered", "RTO delivered"
    LOST = "lost", "Lost"
    DAMAGED = "damaged", "Damaged"


class Category(enum.StrEnum):
    """The stage of a shipment that a status belongs to."""

    BOOKING = "booking"
    PICKUP = "pickup"
    TRANSIT = "transit"
    DELIVERY = "delivery"
    EXCEPTION = "exception"
    RTO = "rto"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What a neutral status means for the shipment.

    `progress` decides between two scans of the same time: the higher one counts as the later.
    `terminal` ends the shipment. `cancellable` and `reattemptable` say which actions are allowed.
    `needs_action` marks a status that somebody must act on.
    """

    category: Category
    progress: int
    terminal: bool = False
    cancellable: bool = False
    reattemptable: bool = False
    needs_action: bool = False


_C = Category
STATUS_FACTS: Mapping[Status, StatusFacts] = {
    Status.BOOKING: StatusFacts(_C.BOOKING, 0),
    Status.IN_DOUBT: StatusFacts(_C.BOOKING, 1, needs_action=True),
    Status.FAILED: StatusFacts(_C.CLOSED, 2, terminal=True),
    Status.BOOKED: StatusFacts(_C.PICKUP, 10, cancellable=True),
    Status.PICKUP_PENDING: StatusFacts(_C.PICKUP, 20, cancellable=True),
    Status.PICKUP_SCHEDULED: StatusFacts(_C.PICKUP, 21, cancellable=True),
    Status.OUT_FOR_PICKUP: StatusFacts(_C.PICKUP, 22, cancellable=True),
    Status.NOT_PICKED: StatusFacts(_C.PICKUP, 23, cancellable=True, needs_action=True),
    Status.PICKUP_CANCELLED: StatusFacts(_C.PICKUP, 24, cancellable=True, needs_action=True),
    Status.PICKED_UP: StatusFacts(_C.TRANSIT, 30, cancellable=True),
    Status.IN_TRANSIT: StatusFacts(_C.TRANSIT, 31, cancellable=True),
    Status.DELAYED: StatusFacts(_C.TRANSIT, 32, cancellable=True),
    Status.OUT_FOR_DELIVERY: StatusFacts(_C.DELIVERY, 40),
    Status.UNDELIVERED: StatusFacts(
        _C.EXCEPTION, 41, cancellable=True, reattemptable=True, needs_action=True
    ),
    Status.RTO_REQUESTED: StatusFacts(_C.RTO, 50),
    Status.RTO_IN_TRANSIT: StatusFacts(_C.RTO, 51),
    Status.RTO_DELAYED: StatusFacts(_C.RTO, 52),
    Status.RTO_OUT_FOR_DELIVERY: StatusFacts(_C.RTO, 53),
    Status.RTO_FAILED: StatusFacts(_C.RTO, 54, needs_action=True),
    Status.NOT_SERVICEABLE: StatusFacts(_C.CLOSED, 60, terminal=True, needs_action=True),
    Status.CANCELLED: StatusFacts(_C.CLOSED, 61, terminal=True),
    Status.DAMAGED: StatusFacts(_C.CLOSED, 62, terminal=True, needs_action=True),
    Status.LOST: StatusFacts(_C.CLOSED, 63, terminal=True, needs_action=True),
    Status.RTO_DELIVERED: StatusFacts(_C.CLOSED, 64, terminal=True),
    Status.DELIVERED: StatusFacts(_C.CLOSED, 65, terminal=True),
}

# With these it is not known yet whether the courier has the shipment.
UNSETTLED = (Status.BOOKING, Status.IN_DOUBT)
TERMINAL = frozenset(status for status, facts in STATUS_FACTS.items() if facts.terminal)
# The courier has the shipment, and it has not ended.
UNDER_WAY = frozenset(Status) - TERMINAL - {*UNSETTLED}
NEEDS_ACTION = frozenset(status for status, facts in STATUS_FACTS.items() if facts.needs_action)
AWAITING_PICKUP = frozenset(
    status for status, facts in STATUS_FACTS.items() if facts.category is Category.PICKUP
)
RTO = frozenset(
    status for status, facts in STATUS_FACTS.items() if facts.category is Category.RTO
) | {Status.RTO_DELIVERED}

# With these the shipment has ended without a delivery, so its order may be booked again under a
# new key.
RELEASES_ORDER = frozenset(
    {
        Status.FAILED,
        Status.CANCELLED,
        Status.NOT_SERVICEABLE,
        Status.RTO_DELIVERED,
        Status.LOST,
        Status.DAMAGED,
    }
)


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """The meaning of a courier's reason for a failed attempt (NDR). `code` is neutral."""

    code: str
    category: Category = Category.EXCEPTION
    terminal: bool = False
    cancellable: bool = True
    reattemptable: bool = True
    needs_action: bool = True


@dataclass(frozen=True, slots=True)
class MappedStatus:
    """A courier's status with its neutral one. `status` is None for an unknown courier status.

    `courier_type` and `courier_code` are what a courier has beside its word, "" where it has none.
    """

    status: Status | None
    courier_status: str
    reason: ReasonFacts | None = None
    courier_reason: str = ""
    courier_type: str = ""
    courier_code: str = ""

    @property
    def facts(self) -> StatusFacts | None:
        return STATUS_FACTS[self.status] if self.status else None


# Stands for a reason that a courier's table does not name, unless the table says otherwise.
OTHER_REASON = ReasonFacts("other")


def normalise(word: str) -> str:
    """Return the word in lower case, with `_` and `-` as single spaces.

    Couriers spell one status in several ways.
    """
    return " ".join(word.replace("_", " ").replace("-", " ").split()).casefold()


# What an entry of a StatusMapper is for: a word, or (direction, type, word[, code]).
StatusKey = str | tuple[str, str, str] | tuple[str, str, str, str]
_Parts = tuple[str, str, str, str]


def status_table(rows: Iterable[tuple[str, str, str, str]]) -> dict[StatusKey, Status]:
    """Return a mapper's statuses from rows of type, words, codes and the neutral status.

    Words and codes stand for several with `|` between them.
    """
    return {
        ("", kind, word, code): Status(status)
        for kind, words, codes, status in rows
        for word in words.split("|")
        for code in codes.split("|")
    }


@dataclass(frozen=True, slots=True, order=True)
class _Shape:
    """Which parts the entries of a mapper name. The greater shape is the more specific one.

    `code_length` counts the characters of the code before its `*`, 0 for an exact code or none.
    """

    exact_code: bool
    code_length: int
    word: bool
    direction: bool
    kind: bool

    def cut(self, given: _Parts) -> _Parts:
        """Return the parts of a status that entries of this shape compare."""
        direction, kind, word, code = given
        return (
            direction if self.direction else "",
            kind if self.kind else "",
            word if self.word else "",
            code if self.exact_code else code[: self.code_length],
        )


class StatusMapper:
    """Maps the statuses and NDR reasons of one courier to neutral ones.

    A key of `statuses` is the courier's word, or a tuple (direction, type, word, code) for a
    courier whose statuses depend on those; the code may be left out. "" in a tuple matches
    anything, and a code that ends in `*` matches every code that begins so. The most specific entry
    wins: an exact code before a longer beginning before a shorter one before none, then a word, a
    direction, a type before none. `reasons` maps the courier's NDR reasons to ReasonFacts;
    `default_reason` stands for one that is not among them. With `code_is_reason` a failed delivery
    or pickup has its code as its reason.

    A plug-in calls `map` while it reads a scan. It need not know the shipment's direction: the
    platform asks `in_direction` when it applies the scan.
    """

    def __init__(
        self,
        statuses: Mapping[StatusKey, Status],
        reasons: Mapping[str, ReasonFacts] | None = None,
        *,
        default_reason: ReasonFacts = OTHER_REASON,
        code_is_reason: bool = False,
    ) -> None:
        tables: dict[_Shape, dict[_Parts, Status]] = {}
        for key, status in statuses.items():
            parts = _parts(key)
            shape = _shape_of(parts)
            tables.setdefault(shape, {})[shape.cut(parts)] = status
        # One dictionary for each shape, so that a status costs as many look-ups as there are
        # shapes, however many entries there are.
        self._tables = sorted(tables.items(), key=itemgetter(0), reverse=True)
        self._has_directions = any(shape.direction for shape in tables)
        self._reasons = {normalise(word): facts for word, facts in (reasons or {}).items()}
        self._default_reason = default_reason
        self._code_is_reason = code_is_reason

    def map(
        self, status: str, *, direction: str = "", kind: str = "", code: str = "", reason: str = ""
    ) -> MappedStatus:
        """Return the neutral status and reason. An unknown status gives None; nothing is raised.

        `kind` is the courier's type of the status.
        """
        _, found = self._find(direction, kind, status, code)
        if self._code_is_reason and found in (Status.UNDELIVERED, Status.NOT_PICKED):
            reason = reason or code
        reason_key = normalise(reason)
        return MappedStatus(
            status=found,
            courier_status=status,
            reason=self._reasons.get(reason_key, self._default_reason) if reason_key else None,
            courier_reason=reason,
            courier_type=kind,
            courier_code=code,
        )

    def in_direction(self, mapped: MappedStatus, direction: str) -> Status | None:
        """Return the neutral status of a mapped one for a shipment of this direction.

        An entry for the direction decides, where it is the most specific one. Otherwise the status
        stays as the plug-in mapped it.
        """
        if not self._has_directions:
            return mapped.status
        shape, found = self._find(
            direction, mapped.courier_type, mapped.courier_status, mapped.courier_code
        )
        return found if shape is not None and shape.direction else mapped.status

    def knows_reason(self, reason: str) -> bool:
        """Return whether the NDR reason is in the table. None at all counts as known."""
        key = normalise(reason)
        return not key or key in self._reasons

    def entries(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield the (direction, type, word, code) of every entry, the most specific first."""
        for shape, table in self._tables:
            for direction, kind, word, code in table:
                yield direction, kind, word, f"{code}*" if shape.code_length else code

    def _find(
        self, direction: str, kind: str, word: str, code: str
    ) -> tuple[_Shape | None, Status | None]:
        given = (direction, normalise(kind), normalise(word), normalise(code))
        for shape, table in self._tables:
            if (found := table.get(shape.cut(given))) is not None:
                return shape, found
        return None, None


def _parts(key: StatusKey) -> _Parts:
    direction, kind, word, *code = key if isinstance(key, tuple) else ("", "", key)
    return direction, normalise(kind), normalise(word), normalise(code[0]) if code else ""


def _shape_of(parts: _Parts) -> _Shape:
    direction, kind, word, code = parts
    is_beginning = code.endswith("*")
    return _Shape(
        exact_code=bool(code) and not is_beginning,
        code_length=len(code) - 1 if is_beginning else 0,
        word=bool(word),
        direction=bool(direction),
        kind=bool(kind),
    )
