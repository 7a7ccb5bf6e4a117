"""A process that is killed at any step of a booking with two couriers books the order once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from couriers.booking.going_on import go_on_due
from couriers.booking.protocol import book
from couriers.booking.steps import Step, booking_step
from couriers.contract.platform_errors import BookingInFlight
from couriers.models import Company, Shipment
from tests.support.booking_machine import Killed
from tests.support.doubts import pass_time
from tests.support.drafts import draft_with
from tests.support.fail_over import Asked, settle_absent
from tests.support.flags import open_flags

# Each step comes once for the first courier. The move to the second one has no settling of its own.
POINTS = [
    Step.RESERVING, Step.RESERVED, Step.CALLING, Step.CALLED,
    Step.RESERVING, Step.RESERVED, Step.CALLING, Step.CALLED, Step.SETTLING, Step.SETTLED,
]  # fmt: skip


def seen_until(fatal: int, work: Any) -> list[Step]:
    """Do the work, and be killed at the step of this number; return the steps up to there."""
    seen: list[Step] = []

    def hook(*, step: Step, **_: Any) -> None:
        seen.append(step)
        if len(seen) == fatal + 1:
            raise Killed

    booking_step.connect(hook)
    try:
        with suppress(Killed):
            work()
    finally:
        booking_step.disconnect(hook)
    return seen


@pytest.mark.django_db(transaction=True)
def test_a_kill_at_any_step_leaves_one_parcel(company: Company, two: list[Asked]) -> None:
    for fatal in range(len(POINTS)):
        draft = draft_with(courier="auto", order_number=f"K-{fatal}")
        two[0].books.behaviours = ["refuses"]
        seen = seen_until(fatal, lambda draft=draft: book(company, draft, key=draft.order_number))
        assert seen == POINTS[: fatal + 1]
        with suppress(BookingInFlight):
            book(company, draft, key=draft.order_number)
        pass_time(200)
        settle_absent()
        go_on_due(5)
        result = book(company, draft, key=draft.order_number)
        assert result.status_code == 201, fatal
        parcels = [p for each in two for p in each.books.order(draft.order_number)]
        shipment = Shipment.objects.get(order_number=draft.order_number)
        assert (shipment.status, [shipment.tracking_id]) == ("booked", parcels), fatal
        assert open_flags(shipment) == [], fatal


@pytest.mark.django_db(transaction=True)
def test_a_kill_while_an_order_goes_on_leaves_one_parcel(
    company: Company, two: list[Asked]
) -> None:
    for fatal in range(6):
        draft = draft_with(courier="auto", order_number=f"G-{fatal}")
        two[0].books.behaviours = ["request lost"]
        book(company, draft)
        settle_absent()
        seen_until(fatal, lambda: go_on_due(5))
        pass_time(200)
        settle_absent()
        with suppress(BookingInFlight):
            go_on_due(5)
        if Shipment.objects.get(order_number=draft.order_number).status != "booked":
            book(company, draft)
        parcels = [p for each in two for p in each.books.order(draft.order_number)]
        shipment = Shipment.objects.get(order_number=draft.order_number)
        assert (shipment.status, [shipment.tracking_id]) == ("booked", parcels), fatal
