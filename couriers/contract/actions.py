"""What is done to a shipment under way: the requests, their results, and which are allowed.

An adapter declares an ActionRule for each action. The platform checks it before any call, for the
API and for operators alike; no rule is written anywhere else.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from couriers.contract.statuses import STATUS_FACTS, Status
from couriers.contract.types import Direction, Pickup


class ActionKind(models.TextChoices):
    """What can be asked of a courier about a shipment under way."""

    CANCEL = "cancel", "Cancel"
    REATTEMPT = "reattempt", "Another delivery attempt"
    RTO = "rto", "Return to origin"
    ADDRESS = "address", "Change of address"
    PICKUP = "pickup", "Pickup on a day"


class ActionState(enum.StrEnum):
    """Whether the courier has done an action, or accepted it to be done later."""

    DONE = "done"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of an action that did not fail.

    `handle` is the courier's reference to an accepted action; `outcome_of` asks about it later. ""
    where there is none: then the shipment's scans tell how it ended. `remark` is in the courier's
    own words. `status` is the shipment's status that follows, None where it is not known. A cancel
    that is done names it: CANCELLED has ended, RTO_REQUESTED or another of RTO travels back.
    """

    state: ActionState = ActionState.DONE
    handle: str = ""
    remark: str = ""
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days that an action may be asked for, counted from today in India (0 is today)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ActionRule:
    """When a courier takes an action, and what has to be given with it.

    `statuses` are the shipment's statuses that allow it. `days` None means that the courier takes
    no date; else one must be given. `fields` are what may be given besides: the consignee's
    "phone", "address" and "name", to be changed, and "instructions" for the courier. `reasons` are
    the NDR reasons (neutral codes, `ReasonFacts.code`) that allow it; None allows any, but a
    re-attempt only for one that is `reattemptable`. `max_attempts` is the most delivery attempts so
    far, None for any number. `options` are booking options without which it is not taken.
    `directions` are those that it exists for.
    """

    statuses: frozenset[Status]
    days: DayRange | None = None
    fields: frozenset[str] = frozenset()
    reasons: frozenset[str] | None = None
    max_attempts: int | None = None
    options: frozenset[str] = frozenset()
    directions: frozenset[Direction] = frozenset(Direction)


def statuses_where(fact: str) -> frozenset[Status]:
    """Return the statuses of which a fact of StatusFacts is true, for example "cancellable"."""
    return frozenset(status for status, facts in STATUS_FACTS.items() if getattr(facts, fact))


@dataclass(frozen=True, slots=True)
class ReattemptRequest:
    """Another delivery attempt, or a change of the consignee's data for the next one.

    `date` is a day in India, None where the courier's rule takes no date. "" keeps the phone, the
    address or the name.
    """

    tracking_id: str
    date: dt.date | None = None
    phone: str = ""
    address: str = ""
    name: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class PickupRequest:
    """A pickup on `date` (a day in India), of shipments or of a warehouse.

    A courier that takes it per shipment gets `tracking_ids`, and in `options` the booking options
    of each, in the same order. One that takes it per warehouse gets `count`, the parcels that wait
    there. `slot` is one of the adapter's `pickup_slots`, "" for any.
    """

    pickup: Pickup
    date: dt.date
    tracking_ids: tuple[str, ...] = ()
    slot: str = ""
    options: tuple[Mapping[str, Any], ...] = ()
    count: int = 0


class PickupScope(enum.StrEnum):
    """What a courier's pickup is asked for."""

    SHIPMENT = "shipment"
    WAREHOUSE = "warehouse"
