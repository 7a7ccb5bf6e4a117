"""Settling doubt by events and by operators, and the evidence that operators see."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, Unknown
from couriers.contract.platform_errors import NotInDoubt, OrderAlreadyLive, TooEarly
from couriers.contract.types import Booking
from couriers.models import AuditEntry, CallbackTally, CourierCall, Shipment
from couriers.operations.doubt import release, resolve
from couriers.operations.evidence import evidence_of
from couriers.tracking.confirmation import Confirmation, apply_creation
from couriers.tracking.events import apply_events
from tests.support.drafts import DRAFT, created_event, draft_with, raising
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.flags import open_flags


@pytest.fixture
def operator(db: None) -> Any:
    return make_staff("settle_doubt", "view_shipment")


@pytest.fixture
def doubtful(account: Any, toy: Any) -> Shipment:
    """A booking whose answer was lost."""
    toy.on_create = raising(Unknown("read time-out"))
    shipment = book(account.company, DRAFT, key="first").shipment
    toy.on_create = None
    return shipment


def test_a_resolved_booking_replays_as_booked(
    doubtful: Shipment, operator: Any, account: Any, toy: Any
) -> None:
    resolve(
        doubtful.pk,
        tracking_id=" T-9 ",
        actor=operator,
        reason="seen in the panel",
        confirm_unchecked=True,
    )
    result = book(account.company, DRAFT, key="first")
    assert (result.status_code, result.replayed) == (201, True)
    assert b'"tracking_id":"T-9"' in result.body
    assert toy.booked == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == (
        "resolve_doubt", operator, "seen in the panel",
    )  # fmt: skip


def test_a_released_order_can_be_booked_again_under_a_new_key(
    doubtful: Shipment, operator: Any, account: Any, toy: Any
) -> None:
    with pytest.raises(OrderAlreadyLive):
        book(account.company, DRAFT, key="second")
    release(doubtful.pk, actor=operator, reason="the panel does not have it")
    assert book(account.company, DRAFT, key="second").status_code == 201
    assert toy.booked == ["A-1"]
    assert AuditEntry.objects.get().action == "release_doubt"


def test_the_event_of_a_released_order_is_flagged_as_a_second_shipment(
    doubtful: Shipment, operator: Any, account: Any
) -> None:
    release(doubtful.pk, actor=operator, reason="not there")
    second = book(account.company, DRAFT, key="second").shipment
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.FLAGGED
    second.refresh_from_db()
    assert open_flags(second) == [("second_shipment", "T-9")]


def test_a_released_order_that_the_courier_has_is_live_again_and_flagged(
    doubtful: Shipment, operator: Any, account: Any
) -> None:
    release(doubtful.pk, actor=operator, reason="not there")
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.FLAGGED
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("booked", "T-9")
    assert open_flags(doubtful)
    with pytest.raises(OrderAlreadyLive):
        book(account.company, DRAFT, key="second")


def test_an_order_whose_call_may_still_be_answered_is_not_released(
    account: Any, toy: Any, operator: Any
) -> None:
    def hook(_: Any) -> None:
        Shipment.objects.update(status="in_doubt")
        with pytest.raises(TooEarly, match="wait another"):
            release(Shipment.objects.get().pk, actor=operator, reason="impatient")
        long_ago = timezone.now() - dt.timedelta(hours=1)
        CourierCall.objects.update(started_at=long_ago)
        Shipment.objects.update(lease_expires_at=long_ago)
        release(Shipment.objects.get().pk, actor=operator, reason="it hangs for an hour")

    toy.on_create = staticmethod(hook)
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.status) == (201, "booked")
    assert [kind for kind, _ in open_flags(result.shipment)] == ["late_answer"]


def test_only_a_booking_in_doubt_is_settled_and_only_with_a_reason(
    doubtful: Shipment, operator: Any, account: Any
) -> None:
    with pytest.raises(InvalidRequest, match="reason"):
        release(doubtful.pk, actor=operator, reason=" ")
    with pytest.raises(InvalidRequest, match="tracking_id"):
        resolve(doubtful.pk, tracking_id="a\x00b", actor=operator, reason="x")
    other = ShipmentFactory(account=account, warehouse=doubtful.warehouse)
    with pytest.raises(InvalidRequest, match=f"order {other.order_number}"):
        resolve(doubtful.pk, tracking_id=other.tracking_id, actor=operator, reason="x")
    with pytest.raises(NotInDoubt):
        release(other.pk, actor=operator, reason="x")
    assert not AuditEntry.objects.exists()


def test_an_event_for_a_number_that_two_bookings_share_settles_neither(
    account: Any, toy: Any
) -> None:
    toy.on_create = raising(Unknown("read time-out"))
    book(account.company, DRAFT)
    back = draft_with(direction="reverse", return_reason="Wrong size")
    book(account.company, back, key="back")
    assert apply_creation(account, created_event("A-1", "T-9")) == Confirmation.FLAGGED
    assert set(Shipment.objects.values_list("status", "tracking_id")) == {("in_doubt", "")}
    assert all(map(open_flags, Shipment.objects.all()))


def test_one_tracking_id_for_two_orders_is_in_doubt(account: Any, toy: Any) -> None:
    first = book(account.company, DRAFT).shipment

    def again(request: Any) -> Booking:
        return Booking(tracking_id=first.tracking_id)

    toy.on_create = staticmethod(again)
    second = book(account.company, draft_with(order_number="A-2"))
    assert second.status_code == 202
    assert first.tracking_id in second.shipment.failure
    assert CourierCall.objects.get(shipment=second.shipment).outcome == "unknown"


def test_the_audit_log_cannot_be_rewritten(doubtful: Shipment, operator: Any) -> None:
    release(doubtful.pk, actor=operator, reason="not there")
    entry = AuditEntry.objects.get()
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    for statement in ("UPDATE {} SET reason = 'x'", "DELETE FROM {}"):
        with (
            pytest.raises(ProgrammingError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(AuditEntry._meta.db_table))


def test_the_evidence_depends_on_whether_callbacks_arrive(doubtful: Shipment, account: Any) -> None:
    assert "prove nothing" in evidence_of(doubtful).flow
    later = timezone.now() + dt.timedelta(minutes=1)
    for _ in range(7):
        ShipmentFactory(account=account, warehouse=doubtful.warehouse, booked_at=later)
    evidence = evidence_of(doubtful)
    assert (evidence.later, evidence.confirmed) == (7, 0)
    assert "whether the callback is registered" in evidence.suggestion
    Shipment.objects.filter(booked_at=later).update(confirmed_at=later)
    assert evidence_of(doubtful).flow == (
        "7 of 7 later bookings were confirmed by callback, none for this order."
    )
    assert "Too little" in evidence_of(doubtful).suggestion
    long_ago = timezone.now() - dt.timedelta(hours=1)
    CourierCall.objects.filter(shipment=doubtful).update(started_at=long_ago)
    assert "then release it" in evidence_of(doubtful).suggestion


def test_the_evidence_says_that_the_accounts_callbacks_are_refused(
    doubtful: Shipment, account: Any, django_assert_num_queries: Any
) -> None:
    later = timezone.now() + dt.timedelta(minutes=1)
    for _ in range(7):
        ShipmentFactory(
            account=account, warehouse=doubtful.warehouse, booked_at=later, confirmed_at=later
        )
    CourierCall.objects.update(started_at=timezone.now() - dt.timedelta(hours=1))
    tally = CallbackTally.objects.create(
        account=account,
        accepted_at=timezone.now() - dt.timedelta(hours=3),
        refused_at=timezone.now() - dt.timedelta(minutes=5),
        refused_count=1204,
    )
    with django_assert_num_queries(2):
        evidence = evidence_of(doubtful)
    assert evidence.flow == (
        "The callbacks of this account are refused. 1,204 callbacks refused so far, the last "
        "5 minutes ago. The last good callback came 3 hours ago. None of those looked at was "
        "signed with the account's secret: the courier signs with another one, or they are a "
        "stranger's. 7 of 7 later bookings were confirmed by callback, none for this order."
    )
    assert "Callbacks are refused, so a missing one proves nothing." in evidence.suggestion
    tally.accepted_at = timezone.now()
    tally.save()
    assert "then release it" in evidence_of(doubtful).suggestion


def test_the_created_event_of_a_booked_shipment_confirms_it(account: Any) -> None:
    shipment = book(account.company, DRAFT).shipment
    event = created_event("A-1", shipment.tracking_id)
    apply_events(account, [event])
    shipment.refresh_from_db()
    first = shipment.confirmed_at
    assert first is not None
    apply_events(account, [event])
    shipment.refresh_from_db()
    assert shipment.confirmed_at == first


def test_staff_settle_doubt_over_the_api_and_companies_cannot(
    doubtful: Shipment, operator: Any, storefront: Client, client: Client
) -> None:
    url = "/api/v1/ops/in-doubt/"
    assert storefront.get(url).status_code == 403
    client.force_login(operator)
    (listed,) = client.get(url).json()
    assert listed["shipment"]["id"] == doubtful.pk
    assert "prove nothing" in listed["flow"]
    answer = client.post(
        f"{url}{doubtful.pk}/resolve/",
        {"tracking_id": "T-9"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "reason")
    body = {"tracking_id": "T-9", "reason": "seen", "confirm_unchecked": True}
    answer = client.post(f"{url}{doubtful.pk}/resolve/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (200, "booked")
    answer = client.post(
        f"{url}{doubtful.pk}/release/", {"reason": "x"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-in-doubt")


def test_staff_without_the_permission_can_only_list_doubts(
    doubtful: Shipment, client: Client
) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    assert client.get("/api/v1/ops/in-doubt/").status_code == 200
    answer = client.post(
        f"/api/v1/ops/in-doubt/{doubtful.pk}/release/",
        {"reason": "x"},
        content_type="application/json",
    )
    assert answer.status_code == 403
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"


def test_any_callback_of_the_account_shows_that_callbacks_arrive(
    doubtful: Shipment, account: Any
) -> None:
    later = timezone.now() + dt.timedelta(minutes=1)
    ShipmentFactory(account=account, warehouse=doubtful.warehouse, booked_at=later)
    assert "Callbacks do not arrive" in evidence_of(doubtful).suggestion
    CallbackTally.objects.create(account=account, accepted_at=timezone.now())
    evidence = evidence_of(doubtful)
    assert evidence.flow.startswith("Callbacks of this account arrive, none for this order.")
    assert "do not arrive" not in evidence.suggestion


def test_a_callback_from_before_the_booking_shows_nothing(doubtful: Shipment, account: Any) -> None:
    before = timezone.now() - dt.timedelta(hours=1)
    CallbackTally.objects.create(account=account, accepted_at=before)
    assert not evidence_of(doubtful).callbacks_arrive
