"""A shipment tells with which couriers its order was to be booked, and no more than that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.api.documentation import openapi_schema
from couriers.contract.errors import Rejected
from couriers.models import Company, Shipment
from couriers.models.call import Outcome
from couriers.operations.erasure import erase_locked
from couriers.tracking.events import apply_events
from tests.support.api import SHIPMENTS, post_shipment
from tests.support.doors import client_of
from tests.support.drafts import created_event, raising
from tests.support.factories import CompanyFactory
from tests.support.fail_over import Asked, asked_in_turn

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = {
    "number", "courier", "service", "outcome", "reason", "started_at", "ended_at", "tracking_id",
    "cancelled_at",
}  # fmt: skip


@pytest.fixture
def three(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Three couriers that a rule asks in turn."""
    with asked_in_turn(company, "one", "two", "three") as asked:
        asked[0].books.behaviours = ["not sent"] * 4  # the call and its repeats
        asked[1].books.behaviours = ["refuses"]
        yield asked


@pytest.fixture
def auto(order: dict[str, Any]) -> dict[str, Any]:
    """An order that leaves its courier to the rules."""
    return order | {"courier": "auto"}


def attempts_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code in (200, 201, 202), answer.content
    return list(answer.json()["booking_attempts"])


def test_each_attempt_has_its_courier_outcome_reason_and_times(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    booked = post_shipment(storefront, auto)
    told = attempts_of(booked)
    assert [
        (each["number"], each["courier"], each["outcome"], each["reason"]) for each in told
    ] == [
        (1, "one", "not_sent", "connection refused"),
        (2, "two", "rejected", "no such pincode"),
        (3, "three", "ok", ""),
    ]
    assert [each["tracking_id"] for each in told] == ["", "", booked.json()["tracking_id"]]
    times = [
        dt.datetime.fromisoformat(each[at]) for each in told for at in ("started_at", "ended_at")
    ]
    assert times == sorted(times)
    assert all(at.utcoffset() == dt.timedelta(0) for at in times)
    assert all(each.keys() == MEMBERS for each in told)


def test_the_shipment_the_list_and_a_repeated_request_tell_the_same(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    booked = post_shipment(storefront, auto)
    told = attempts_of(booked)
    assert attempts_of(storefront.get(booked["Location"])) == told
    assert storefront.get(SHIPMENTS).json()["results"][0]["booking_attempts"] == told
    again = post_shipment(storefront, auto)
    assert (again.content, again["Idempotent-Replayed"]) == (booked.content, "true")


def test_a_doubt_and_a_failure_are_told_as_they_are(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    three[2].books.behaviours = ["request lost"]
    (*_, last) = attempts_of(post_shipment(storefront, auto))
    assert (last["outcome"], last["courier"], last["ended_at"]) == ("unknown", "three", None)
    for asked in three:
        asked.books.behaviours = ["refuses"]
    refused = post_shipment(storefront, auto | {"order_number": "A-2"})
    assert refused.status_code == 422, refused.content
    failed = Shipment.objects.get(order_number="A-2")
    told = attempts_of(storefront.get(f"{SHIPMENTS}{failed.pk}/"))
    assert [each["outcome"] for each in told] == ["rejected"] * 3


def test_the_parcel_of_an_earlier_courier_is_told_with_its_attempt(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    booked = post_shipment(storefront, auto)
    apply_events(three[1].account, [created_event("A-1", "LATE1")])
    told = attempts_of(storefront.get(booked["Location"]))
    assert [each["tracking_id"] for each in told] == ["", "LATE1", booked.json()["tracking_id"]]


def test_another_company_sees_none_of_it(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    url = post_shipment(storefront, auto)["Location"]
    stranger = client_of(CompanyFactory())
    assert stranger.get(url).status_code == 404
    assert stranger.get(SHIPMENTS).json()["results"] == []


def test_a_reason_has_neither_the_consignee_nor_the_login_nor_the_account(
    storefront: Client, three: list[Asked], auto: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = three[1].account
    words = "no delivery to 9876543210 or asha@shop.example"
    refusal = Rejected("the courier refused", courier="two", courier_message=words)
    monkeypatch.setattr(three[1].books, "create", raising(refusal))
    booked = post_shipment(storefront, auto)
    reason = attempts_of(booked)[1]["reason"]
    assert reason.startswith("the courier refused: no delivery to")
    for secret in ("9876543210", "asha@shop.example"):
        assert secret not in reason
    told = str(attempts_of(booked))
    for secret in (account.pk, account.base_url, *account.login.values()):
        assert secret
        assert str(secret) not in told


def test_the_reasons_are_erased_with_the_consignee(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    url = post_shipment(storefront, auto)["Location"]
    erase_locked(list(Shipment.objects.values_list("pk", flat=True)))
    told = attempts_of(storefront.get(url))
    assert [each["reason"] for each in told] == ["", "", ""]
    assert [each["outcome"] for each in told] == ["not_sent", "rejected", "ok"]


def test_a_page_of_shipments_makes_as_many_statements_however_many_attempts_they_have(
    storefront: Client, three: list[Asked], auto: dict[str, Any]
) -> None:
    statements = []
    for number in range(4):
        three[0].books.behaviours = ["refuses"]
        three[1].books.behaviours = ["refuses"]
        post_shipment(storefront, auto | {"order_number": f"B-{number}"})
        with CaptureQueriesContext(connection) as captured:
            rows = storefront.get(SHIPMENTS).json()["results"]
        assert [len(row["booking_attempts"]) for row in rows] == [3] * (number + 1)
        statements.append(len(captured))
    assert len(set(statements)) == 1


def test_the_schema_describes_every_member() -> None:
    schemas = openapi_schema()["components"]["schemas"]
    described = schemas["BookingAttempt"]
    assert described["properties"].keys() == set(described["required"]) == MEMBERS
    assert "a parcel which its courier turned out to have" in " ".join(
        described["description"].split()
    )
    outcome = described["properties"]["outcome"]
    words = schemas[outcome.get("$ref", "").rsplit("/", 1)[-1]] if "$ref" in outcome else outcome
    assert set(words["enum"]) == set(Outcome.values)
    for name in ("Shipment", "ShipmentDetail", "ShipmentRow", "BulkOrder"):
        items = schemas[name]["properties"]["booking_attempts"]["items"]
        assert items == {"$ref": "#/components/schemas/BookingAttempt"}
