"""Couriers with books of their own, which are asked in turn by a rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from couriers.contract.action_rules import ActionKind
from couriers.contract.actions import ActionResult, ActionRule, ActionState, statuses_where
from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierError
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Scan, ShipmentRequest, Tracking
from couriers.models import BookingAttempt, Company, CourierAccount, CourierRule, Shipment
from tests.support.choices import booking_courier, rule
from tests.support.doubt_toys import Books
from tests.support.doubts import pass_time, reconcile
from tests.support.drafts import draft_with
from tests.support.toy import MAPPER, cancelled

AUTO = draft_with(courier="auto")
ACCEPTED = ActionResult(state=ActionState.ACCEPTED, handle="H1")
LAG = 60.0  # seconds, of the couriers that can be searched


@dataclass(frozen=True, slots=True)
class Asked:
    """A courier that is asked in its turn."""

    account: CourierAccount
    books: Books
    cancels: list[str]  # the tracking ids
    answers: list[ActionResult | CourierError]  # to the next cancellations
    tracks: list[list[str]]  # the tracking ids of each call
    scans: dict[str, list[Scan] | CourierError]  # what tracking answers, by tracking id


@contextmanager
def asked_courier(company: Company, code: str, *, searchable: bool = True) -> Iterator[Asked]:
    """Register a courier whose create calls behave as its books say."""
    books = Books()
    cancels: list[str] = []
    answers: list[ActionResult | CourierError] = []
    tracks: list[list[str]] = []
    scans: dict[str, list[Scan] | CourierError] = {}

    def create(self: Any, request: ShipmentRequest) -> Booking:
        return books.create(request)

    def find(self: Any, request: ShipmentRequest) -> Booking | None:
        return books.find(request)

    def cancel(self: Any, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        cancels.append(tracking_id)
        answer = answers.pop(0) if answers else cancelled(status)
        if isinstance(answer, CourierError):
            raise answer
        return answer

    def track(self: Any, tracking_ids: Sequence[str]) -> dict[str, Tracking]:
        tracks.append(list(tracking_ids))
        found = {}
        for one in tracking_ids:
            answer = scans.get(one)
            if isinstance(answer, CourierError):
                raise answer
            if answer is not None:
                found[one] = Tracking(one, tuple(answer))
        return found

    def outcome(self: Any, handle: str) -> ActionResult:
        return ActionResult(remark="cancelled") if books.is_indexed else ACCEPTED

    able = {
        Capability.GET_RATES, Capability.CREATE_SHIPMENT, Capability.CREATE_REVERSE_SHIPMENT,
        Capability.CANCEL_SHIPMENT, Capability.OUTCOME_OF, Capability.TRACK_SHIPMENTS,
    }  # fmt: skip
    with booking_courier(
        company,
        code,
        create_shipment=create,
        create_reverse_shipment=create,
        find_booking=find,
        cancel_shipment=cancel,
        outcome_of=outcome,
        track_shipments=track,
        track_size=2,
        mapper=MAPPER,
        lookup_lag=LAG if searchable else None,
        max_create_seconds=classmethod(lambda cls: 30.0),
        action_rules={ActionKind.CANCEL: ActionRule(statuses_where("cancellable"))},
        capabilities=frozenset(able | ({Capability.FIND_BOOKING} if searchable else set())),
    ) as account:
        yield Asked(account, books, cancels, answers, tracks, scans)


@contextmanager
def asked_in_turn(
    company: Company, *codes: str, searchable: bool = True, **fields: Any
) -> Iterator[list[Asked]]:
    """Register couriers that a rule asks in this order; `fields` are the rule's."""
    with ExitStack() as stack:
        asked = [
            stack.enter_context(asked_courier(company, code, searchable=searchable))
            for code in codes
        ]
        made: CourierRule = rule(company, *codes, **fields)
        assert made.pk
        yield asked


def scan_event(tracking_id: str, status: str, hour: int = 1, order: str = "") -> CourierEvent:
    """Return a scan of a parcel, so many hours after a morning."""
    return CourierEvent(Topic.TRACK_UPDATED, tracking_id, order, scan=scan_of(status, hour))


def scan_of(status: str, hour: int = 1) -> Scan:
    """Return a scan so many hours after a morning."""
    at = dt.datetime(2026, 11, 24, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    return Scan(MAPPER.map(status), at, "PUNE", "")


def outcomes(shipment: Shipment) -> list[tuple[int, str, str]]:
    """Return the number, courier and outcome of the attempts of a shipment that are over."""
    rows = BookingAttempt.objects.filter(shipment=shipment).order_by("number")
    return list(rows.values_list("number", "courier_id", "outcome"))


def current() -> Shipment:
    """Return the order's only shipment."""
    return Shipment.objects.get()


def settle_absent() -> None:
    """Let the searches settle every doubt as not booked."""
    for seconds in (0, 31, 61, 61):
        pass_time(seconds)
        reconcile()
