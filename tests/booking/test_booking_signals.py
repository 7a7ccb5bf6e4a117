"""The signals of a booking, whichever door it comes in by and whatever settles it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from couriers.booking import bulk_jobs
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.booking.returns import ReturnDraft, book_return
from couriers.booking.stored_drafts import items_json
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.types import Booking
from couriers.models import CourierCall, Shipment
from couriers.operations.doubt import release, resolve
from couriers.tracking.events import apply_events
from tests.support.drafts import DRAFT, created_event, draft_with, raising, requests_for
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.signals import Heard, failing_receivers, listening

pytestmark = pytest.mark.django_db(transaction=True)

BOOKED = ("booking", "booked")


@pytest.fixture
def heard() -> Iterator[Heard]:
    with listening() as heard:
        yield heard


@pytest.fixture
def operator(db: None) -> Any:
    return make_staff()


@pytest.fixture
def doubtful(account: Any, toy: Any) -> Shipment:
    """A shipment in doubt, whose signals are not recorded."""
    toy.on_create = raising(Unknown("lost"))
    shipment = book(account.company, DRAFT).shipment
    toy.on_create = None
    return shipment


def end_lease() -> int:
    """Have the leases of all bookings run out; return how many bookings are then in doubt."""
    Shipment.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    return expire_leases()


def release_later(shipment: Shipment, operator: Any) -> None:
    """Release a doubt after its call has surely ended."""
    long_ago = timezone.now() - dt.timedelta(hours=1)
    CourierCall.objects.filter(shipment=shipment).update(started_at=long_ago)
    release(shipment.pk, actor=operator, reason="not in the panel")


def test_a_booking_is_announced_with_its_facts(heard: Heard, account: Any) -> None:
    shipment = book(account.company, DRAFT).shipment
    common = {
        "shipment_id": shipment.pk,
        "company_id": account.company_id,
        "order_number": "A-1",
        "courier": "toy",
        "direction": "forward",
        "tracking_id": shipment.tracking_id,
    }
    assert heard == [
        ("status_changed", common | {"previous_status": "booking", "status": "booked"}),
        ("booked", common | {"waybill": "W1", "by": "answer"}),
    ]
    texts = [v for _, facts in heard for k, v in facts.items() if k != "company_id"]
    assert {type(text) for text in texts} == {str}


def test_a_booking_over_the_api_is_announced_once_and_its_replay_is_not(
    heard: Heard, storefront: Client, account: Any, order: Any
) -> None:
    for _ in range(2):
        storefront.post("/api/v1/shipments/", order, content_type="application/json")
    assert heard.names() == ["status_changed", "booked"]


def test_each_order_of_a_bulk_job_is_announced(heard: Heard, account: Any) -> None:
    job = bulk_jobs.create_job(account.company, requests_for(DRAFT, draft_with(order_number="A-2")))
    while bulk_jobs.book_due_orders(job.pk, seconds=5) is not None:
        pass
    assert sorted(heard.facts("booked", "order_number")) == [("A-1",), ("A-2",)]


def test_a_return_is_announced_as_reverse(heard: Heard, account: Any) -> None:
    original = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="delivered",
        items=items_json(DRAFT.items),
    )  # fmt: skip
    draft = ReturnDraft(return_reason="too small", order_number="R-1")
    book_return(account.company, original, draft)
    assert heard.facts("booked", "order_number", "direction") == [("R-1", "reverse")]


def test_a_refused_booking_is_announced_as_failed_and_another_attempt_as_booking(
    heard: Heard, account: Any, toy: Any
) -> None:
    toy.on_create = raising(Rejected("no"))
    with pytest.raises(Rejected):
        book(account.company, DRAFT)
    assert heard.statuses() == [("booking", "failed")]
    toy.on_create = None
    book(account.company, DRAFT)
    assert heard.statuses() == [("booking", "failed"), ("failed", "booking"), BOOKED]
    assert heard.facts("booked", "by") == [("answer",)]
    assert heard.facts("settled", "outcome") == []


def test_a_booking_in_doubt_is_announced_once(heard: Heard, account: Any, toy: Any) -> None:
    toy.on_create = raising(Unknown("lost"))
    book(account.company, DRAFT)
    book(account.company, DRAFT)
    assert [(name, facts["status"]) for name, facts in heard] == [("status_changed", "in_doubt")]


def test_each_booking_whose_lease_has_run_out_is_announced_once(
    account: Any, toy: Any, heard: Heard
) -> None:
    warehouse = account.company.warehouses.get()
    lease = timezone.now() + dt.timedelta(minutes=1)
    made = [
        ShipmentFactory(
            account=account, warehouse=warehouse, status="booking", lease_expires_at=lease
        )
        for _ in range(3)
    ]
    assert (expire_leases(), heard) == (0, [])
    assert (end_lease(), expire_leases()) == (3, 0)
    assert heard.facts("status_changed", "shipment_id", "previous_status", "status") == [
        (shipment.pk, "booking", "in_doubt") for shipment in made
    ]


def test_a_doubt_that_an_operator_resolves_is_settled_as_booked(
    doubtful: Shipment, heard: Heard, operator: Any
) -> None:
    resolve(
        doubtful.pk,
        tracking_id="T-9",
        actor=operator,
        reason="seen in the panel",
        confirm_unchecked=True,
    )
    assert heard.statuses() == [("in_doubt", "booked")]
    assert heard.facts("booked", "tracking_id", "by") == [("T-9", "operator")]
    assert heard.facts("settled", "outcome", "by") == [("booked", "operator")]


def test_a_doubt_that_an_operator_releases_is_settled_as_not_booked(
    doubtful: Shipment, heard: Heard, operator: Any
) -> None:
    release_later(doubtful, operator)
    assert heard.statuses() == [("in_doubt", "failed")]
    assert heard.facts("settled", "outcome", "by") == [("not_booked", "operator")]
    assert "booked" not in heard.names()


@pytest.mark.parametrize("topic", [Topic.SHIPMENT_CREATED, Topic.SHIPMENT_RECREATED])
def test_a_doubt_that_a_callback_confirms_is_settled_once(
    doubtful: Shipment, heard: Heard, account: Any, topic: Topic
) -> None:
    event = CourierEvent(topic, "T-9", "A-1", waybill="W9")
    for _ in range(2):
        apply_events(account, [event])
    assert heard.statuses() == [("in_doubt", "booked")]
    assert heard.facts("booked", "tracking_id", "waybill", "by") == [("T-9", "W9", "callback")]
    assert heard.facts("settled", "outcome", "by") == [("booked", "callback")]


def test_a_callback_before_the_answer_books_and_settles_no_doubt(
    heard: Heard, account: Any, toy: Any
) -> None:
    def hook(_: Any) -> Booking:
        apply_events(account, [created_event("A-1", "T-9")])
        return Booking("T-9")

    toy.on_create = staticmethod(hook)
    book(account.company, DRAFT)
    assert heard.names() == ["status_changed", "booked"]
    assert heard.facts("booked", "by") == [("callback",)]


@pytest.mark.parametrize(("answer", "outcome"), [(None, "booked"), (Rejected("no"), "not_booked")])
def test_an_answer_after_the_lease_settles_the_doubt(
    heard: Heard, account: Any, toy: Any, answer: Exception | None, outcome: str
) -> None:
    def hook(_: Any) -> None:
        assert end_lease() == 1
        if answer:
            raise answer

    toy.on_create = staticmethod(hook)
    if answer:
        with pytest.raises(Rejected):
            book(account.company, DRAFT)
    else:
        book(account.company, DRAFT)
    status = "failed" if answer else "booked"
    assert heard.statuses() == [("booking", "in_doubt"), ("in_doubt", status)]
    assert heard.facts("settled", "outcome", "by") == [(outcome, "answer")]


def test_an_answer_after_the_release_settles_the_doubt_again_as_booked(
    heard: Heard, account: Any, toy: Any, operator: Any
) -> None:
    def hook(_: Any) -> None:
        end_lease()
        release_later(Shipment.objects.get(), operator)

    toy.on_create = staticmethod(hook)
    book(account.company, DRAFT)
    assert heard.statuses() == [
        ("booking", "in_doubt"), ("in_doubt", "failed"), ("failed", "booked"),
    ]  # fmt: skip
    assert heard.facts("settled", "outcome", "by") == [
        ("not_booked", "operator"), ("booked", "answer"),
    ]  # fmt: skip
    assert heard.facts("flagged", "kind") == [("late_answer",)]


def test_a_callback_after_the_release_settles_the_doubt_again_as_booked(
    doubtful: Shipment, heard: Heard, account: Any, operator: Any
) -> None:
    release_later(doubtful, operator)
    apply_events(account, [created_event("A-1", "T-9")])
    assert heard.facts("settled", "outcome", "by") == [
        ("not_booked", "operator"), ("booked", "callback"),
    ]  # fmt: skip
    assert heard.facts("flagged", "kind", "other_tracking_id") == [("late_confirmation", "T-9")]


def test_a_decision_that_is_rolled_back_announces_nothing(
    doubtful: Shipment, heard: Heard, operator: Any
) -> None:
    with transaction.atomic():
        release_later(doubtful, operator)
        transaction.set_rollback(True)
    assert heard == []


def test_a_booking_stands_whatever_a_receiver_does(
    storefront: Client, account: Any, order: Any
) -> None:
    with failing_receivers(RuntimeError("a fault in the host")), listening() as heard:
        answer = storefront.post("/api/v1/shipments/", order, content_type="application/json")
    assert (answer.status_code, Shipment.objects.get().status) == (201, "booked")
    assert heard.names() == ["status_changed", "booked"]


def test_a_receiver_finds_the_booked_row(account: Any) -> None:
    from couriers.contract.signals import shipment_booked

    found = []

    def receive(shipment_id: str, **_: Any) -> None:
        found.append(Shipment.objects.get(pk=shipment_id).status)

    shipment_booked.connect(receive)
    try:
        book(account.company, DRAFT)
    finally:
        shipment_booked.disconnect(receive)
    assert found == ["booked"]


def test_a_tracking_id_of_another_order_is_a_doubt_without_it(
    account: Any, toy: Any, heard: Heard
) -> None:
    other = book(account.company, DRAFT).shipment
    heard.clear()
    toy.on_create = staticmethod(lambda request: Booking(other.tracking_id, "W1", "TOY"))
    result = book(account.company, draft_with(order_number="A-2"))
    assert (result.status_code, result.shipment.status) == (202, "in_doubt")
    assert other.tracking_id in result.shipment.failure
    facts = heard.facts(
        "status_changed", "order_number", "previous_status", "status", "tracking_id"
    )
    assert heard.names() == ["status_changed"]
    assert facts == [("A-2", "booking", "in_doubt", "")]
    assert Shipment.objects.get(tracking_id=other.tracking_id).pk == other.pk
