"""A company outside of a courier's roll-out books nothing with it, whichever way it asks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking import bulk_jobs
from couriers.booking.protocol import book
from couriers.booking.returns import ReturnDraft, book_return
from couriers.contract import india
from couriers.contract.actions import PickupScope
from couriers.contract.errors import CourierNotEnabled, Unknown
from couriers.models import BulkOrder, Courier, CourierCall, Shipment
from couriers.operations.doubt import resolve
from couriers.tracking.confirmation import apply_creation
from tests.support.api import post_json, post_shipment
from tests.support.drafts import DRAFT, created_event, draft_with, raising, requests_for
from tests.support.factories import ShipmentFactory, make_staff
from tests.support.rollouts import WAYS, WIDE_WAYS, narrow_to_none_of, roll_out, widen_to
from tests.support.spreadsheets import book_file, write_orders
from tests.support.tracked_ids import know_ids

REFUSAL = "new bookings with Toy are not enabled for this company"
PROBLEM = "/problems/courier-not-enabled"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a door is tried with."""

    client: Client
    account: Any
    order: dict[str, Any]
    folder: Path


def _said_by_the_api(answer: Any) -> str:
    if answer.status_code in (200, 201):
        return ""
    body = answer.json()
    assert (answer.status_code, body["type"], body["courier"]) == (403, PROBLEM, "toy")
    assert "Retry-After" not in answer
    return str(body["detail"])


def by_the_api(asked: Asked) -> str:
    return _said_by_the_api(post_shipment(asked.client, asked.order))


def by_the_api_with_a_key(asked: Asked) -> str:
    key = {"Idempotency-Key": "k-1"}
    return _said_by_the_api(post_shipment(asked.client, asked.order, **key))


def by_a_job(asked: Asked) -> str:
    job = bulk_jobs.create_job(asked.account.company, requests_for(DRAFT))
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    row = BulkOrder.objects.get()
    assert row.outcome == ("failed" if row.reason else "booked")
    return row.reason


def by_a_job_that_tries_again(asked: Asked) -> str:
    job = bulk_jobs.create_job(asked.account.company, requests_for(DRAFT))
    BulkOrder.objects.update(tries=1, reason="the courier was busy", next_attempt_at=timezone.now())
    assert bulk_jobs.book_due_orders(job.pk, seconds=5) is None
    row = BulkOrder.objects.get()
    return row.reason if row.outcome == "failed" else ""


def by_a_spreadsheet(asked: Asked) -> str:
    rows = book_file(asked.account.company, write_orders(asked.folder / "o.csv", {}))
    (row,) = rows.values()
    assert row.outcome == ("failed" if row.reason else "booked")
    return row.reason


def by_a_return(asked: Asked) -> str:
    original = delivered(asked)
    url = f"/api/v1/shipments/{original.pk}/return/"
    body = {"return_reason": "too small", "order_number": "R-1"}
    return _said_by_the_api(post_json(asked.client, url, body))


def by_a_return_in_code(asked: Asked) -> str:
    try:
        book_return(
            asked.account.company, delivered(asked), ReturnDraft("too small", order_number="R-1")
        )
    except CourierNotEnabled as error:
        return error.message
    return ""


def by_a_rebooking(asked: Asked) -> str:
    ShipmentFactory(
        account=asked.account, warehouse=asked.account.company.warehouses.get(),
        order_number=DRAFT.order_number, status="cancelled",
    )  # fmt: skip
    try:
        book(asked.account.company, DRAFT, rebook=True)
    except CourierNotEnabled as error:
        return error.message
    return ""


def by_a_failed_booking_asked_again(asked: Asked) -> str:
    ShipmentFactory(
        account=asked.account, warehouse=asked.account.company.warehouses.get(),
        order_number=DRAFT.order_number, status="failed", tracking_id="",
    )  # fmt: skip
    return by_the_api(asked)


def by_asking_for_rates(asked: Asked) -> str:
    lane = {
        "courier": "toy", "pickup_pincode": "560001", "drop_pincode": "560008",
        "payment_mode": "prepaid", "invoice_amount": "100.00",
        "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    }  # fmt: skip
    return _said_by_the_api(post_json(asked.client, "/api/v1/rates/", lane))


def by_asking_about_a_pincode(asked: Asked) -> str:
    query = {"courier": "toy", "pincode": "560008"}
    return _said_by_the_api(asked.client.get("/api/v1/serviceability/", query))


def delivered(asked: Asked) -> Shipment:
    return ShipmentFactory(
        account=asked.account, warehouse=asked.account.company.warehouses.get(),
        order_number="D-1", status="delivered",
        items=[{"name": "T-shirt", "quantity": 1, "value": "112.00", "gst_rate": "12"}],
    )  # fmt: skip


BOOKING_DOORS = (
    by_the_api, by_the_api_with_a_key, by_a_job, by_a_job_that_tries_again, by_a_spreadsheet,
    by_a_return, by_a_return_in_code, by_a_rebooking, by_a_failed_booking_asked_again,
)  # fmt: skip
DOORS = (*BOOKING_DOORS, by_asking_for_rates, by_asking_about_a_pincode)


@pytest.fixture
def asked(storefront: Client, account: Any, able: Any, order: Any, tmp_path: Path) -> Asked:
    return Asked(storefront, account, order, tmp_path)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("how", WAYS)
def test_a_company_outside_is_refused_and_the_courier_not_called(
    asked: Asked, able: Any, door: Callable[[Asked], str], how: str
) -> None:
    narrow_to_none_of(asked.account.company, how)
    assert door(asked) == REFUSAL
    assert able.booked == []
    assert able.asked == []
    assert not CourierCall.objects.exists()
    assert not Shipment.objects.exclude(status__in=["delivered", "cancelled", "failed"]).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_company_inside_is_served(asked: Asked, able: Any, door: Callable[[Asked], str]) -> None:
    widen_to(asked.account.company, "named before a percentage")
    assert door(asked) == ""
    assert bool(able.booked) == (door in BOOKING_DOORS)


@pytest.mark.parametrize("how", WIDE_WAYS)
def test_every_way_to_include_a_company_lets_it_book(account: Any, toy: Any, how: str) -> None:
    narrow_to_none_of(account.company, "off")
    with pytest.raises(CourierNotEnabled):
        book(account.company, DRAFT)
    widen_to(account.company, how)
    assert book(account.company, DRAFT).status_code == 201


def test_another_courier_of_the_company_is_not_meant(account: Any, other_courier: Any) -> None:
    roll_out("off")
    assert book(account.company, draft_with(courier="othertoy")).status_code == 201


def test_couriers_are_for_all_companies_unless_an_operator_says_otherwise(account: Any) -> None:
    assert Courier.objects.create(code="new", name="New").rollout == "all"
    assert Courier.objects.get(pk="toy").rollout == "all"


def test_a_repeated_request_is_answered_with_its_shipment(
    storefront: Client, account: Any, order: Any
) -> None:
    first = post_shipment(storefront, order)
    roll_out("off")
    again = post_shipment(storefront, order)
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("method", "path", "status", "asked_of_the_courier"),
    [
        ("post", "track/", 200, "track_shipment"),
        ("get", "label/", 200, "get_label"),
        ("post", "cancel/", 200, "cancel_shipment"),
    ],
)
def test_a_shipment_that_exists_is_served(
    storefront: Client, account: Any, able: Any, method: str, path: str, status: int,
    asked_of_the_courier: str,
) -> None:  # fmt: skip
    shipment = book(account.company, DRAFT).shipment
    roll_out("percentage", 0)
    answer = getattr(storefront, method)(f"/api/v1/shipments/{shipment.pk}/{path}")
    assert answer.status_code == status
    assert [name for name, _ in able.asked] == [asked_of_the_courier]


def test_parcels_that_exist_are_fetched_and_manifested(
    storefront: Client, account: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(able, "pickup_scope", PickupScope.WAREHOUSE)
    shipment = book(account.company, DRAFT).shipment
    roll_out("off")
    tomorrow = india.today() + dt.timedelta(days=1)
    fetch = {"courier": "toy", "date": tomorrow.isoformat(), "count": 1}
    at = f"/api/v1/warehouses/{account.company.warehouses.get().pk}/pickups/"
    assert post_json(storefront, at, fetch).status_code == 201
    wanted = {"courier": "toy", "shipments": [shipment.pk]}
    assert post_json(storefront, "/api/v1/manifests/", wanted).status_code == 202


def test_doubts_are_settled(
    account: Any, toy: Any, able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.on_create = raising(Unknown("read time-out"))
    by_an_operator = book(account.company, draft_with(order_number="A-2")).shipment
    by_an_event = book(account.company, draft_with(order_number="A-3")).shipment
    roll_out("percentage", 0)
    apply_creation(account, created_event("A-3", "T-3"))
    know_ids(monkeypatch, able, {"T-2": "A-2"})
    resolve(by_an_operator.pk, tracking_id="T-2", actor=make_staff("settle_doubt"), reason="seen")
    for row, number in ((by_an_operator, "T-2"), (by_an_event, "T-3")):
        row.refresh_from_db()
        assert (row.status, row.tracking_id) == ("booked", number)
