"""A shipment is answered whole: a storefront reads back what it sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from couriers.contract.statuses import Status
from couriers.models import IdempotencyKey, Shipment
from couriers.operations.erasure import erase_locked
from couriers.operations.key_rotation import forget_keys
from tests.support.api import SHIPMENTS, post_shipment, set_status

WHOLE = {"landmark": "opposite the water tank", "email": "asha@shop.example"}


@pytest.fixture
def whole(order: dict[str, Any]) -> dict[str, Any]:
    """An order with all that it can have."""
    order["consignee"] |= WHOLE
    order["metadata"] = {"cart": "c-77", "channel": "web", "एक": "दो"}
    order["invoice_number"], order["invoice_date"] = "INV-9", "2026-11-23"
    return order


def test_a_storefront_reads_back_what_it_sent(
    storefront: Client, account: Any, whole: dict[str, Any]
) -> None:
    booked = post_shipment(storefront, whole)
    assert booked.status_code == 201, booked.content
    shown = storefront.get(booked["Location"]).json()
    for answer in (
        booked.json(),
        shown,
        storefront.get(f"{SHIPMENTS}?expand=consignee").json()["results"][0],
    ):
        assert answer["consignee"] == whole["consignee"] | {"phone": "9876543210"}
        assert answer["items"] == [whole["items"][0] | {"gst_rate": "12.00"}]
        for name in ("parcel", "metadata", "invoice_number", "invoice_date"):
            assert answer[name] == whole[name]


def test_the_courier_gets_the_landmark_with_the_address(
    storefront: Client, account: Any, whole: dict[str, Any], toy: Any
) -> None:
    sent: list[Any] = []
    toy.on_create = sent.append
    post_shipment(storefront, whole)
    assert sent[0].consignee.street == "9, Secret Lane, opposite the water tank"
    assert sent[0].consignee.email == "asha@shop.example"


def test_what_only_time_tells(storefront: Client, shipment: Any) -> None:
    url = f"{SHIPMENTS}{shipment.pk}/"
    answer = storefront.get(url).json()
    assert (answer["attempts"], answer["delivered_at"]) == (None, None)
    set_status(shipment, Status.DELIVERED, delivery_attempts=2, status_at="2026-11-28T10:00:00Z")
    answer = storefront.get(url).json()
    assert (answer["attempts"], answer["delivered_at"]) == (2, "2026-11-28T10:00:00.000Z")
    set_status(shipment, Status.LOST)
    assert storefront.get(url).json()["delivered_at"] is None


def test_the_stored_answer_is_encrypted_and_replayed_byte_for_byte(
    storefront: Client, account: Any, whole: dict[str, Any]
) -> None:
    first = post_shipment(storefront, whole)
    stored = IdempotencyKey.objects.get().response_body.token
    for private in ("Asha", "9876543210", "Secret Lane", "water tank", "asha@", "c-77"):
        assert private in first.content.decode()
        assert private.encode() not in stored
    again = post_shipment(storefront, whole)
    assert (again.status_code, again.content) == (201, first.content)


def test_the_answer_is_readable_after_a_rotation_of_keys(
    storefront: Client, account: Any, whole: dict[str, Any], settings: Any
) -> None:
    first = post_shipment(storefront, whole)
    old = settings.FERNET_KEYS
    settings.FERNET_KEYS = ["another key of these tests", *old]
    try:
        forget_keys()
        call_command("rotate_keys")
        settings.FERNET_KEYS = ["another key of these tests"]
        forget_keys()
        again = post_shipment(storefront, whole)
    finally:
        settings.FERNET_KEYS = old
        forget_keys()
    assert again.content == first.content


def test_a_stored_answer_that_no_key_opens_is_said_so(
    storefront: Client, account: Any, whole: dict[str, Any]
) -> None:
    post_shipment(storefront, whole)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {IdempotencyKey._meta.db_table} SET response_body = 'no token'")
    storefront.raise_request_exception = False
    answer = post_shipment(storefront, whole)
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unreadable")


def test_erasure_takes_all_of_the_consignee(
    storefront: Client, account: Any, whole: dict[str, Any]
) -> None:
    booked = post_shipment(storefront, whole)
    set_status(Shipment.objects.get(), Status.DELIVERED)
    erase_locked([booked.json()["id"]])
    shown = storefront.get(booked["Location"])
    for private in ("Asha", "9876543210", "Secret Lane", "water tank", "asha@", "c-77", "INV-9"):
        assert private not in shown.content.decode()
    assert shown.json()["metadata"] == {}
    assert IdempotencyKey.objects.get().response_body is None
    assert not {"consignee.email", "consignee.landmark", "metadata"} & set(
        IdempotencyKey.objects.get().fingerprints
    )


@pytest.mark.parametrize("email", ["asha", "asha@", "a@b@c.example", "a\u202e@shop.example", 7])
def test_a_wrong_email_is_named(
    storefront: Client, account: Any, order: dict[str, Any], email: Any
) -> None:
    order["consignee"]["email"] = email
    answer = post_shipment(storefront, order)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "consignee.email")


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({f"key{n}": "" for n in range(51)}, "metadata"),
        ({"k" * 41: "x"}, "metadata." + "k" * 40),
        ({"": "x"}, "metadata."),
        ({"a[b": "x"}, "metadata.a[b"),
        ({"a\u202eb": "x"}, "metadata.a\u202eb"),
        ({"cart": "x" * 501}, "metadata.cart"),
        ({"cart": 7}, "metadata.cart"),
        ({"cart": None}, "metadata.cart"),
        ({"cart": {"id": "x"}}, "metadata.cart"),
        ([], "metadata"),
        (None, "metadata"),
    ],
)
def test_metadata_that_cannot_be_kept_is_named(
    storefront: Client, account: Any, order: dict[str, Any], metadata: Any, field: str
) -> None:
    answer = post_shipment(storefront, order | {"metadata": metadata})
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert not Shipment.objects.exists()


def test_metadata_at_its_limits_is_kept(
    storefront: Client, account: Any, order: dict[str, Any]
) -> None:
    metadata = {f"{n:040}": "ü" * 500 for n in range(50)}
    answer = post_shipment(storefront, order | {"metadata": metadata})
    assert answer.json()["metadata"] == metadata


def test_other_metadata_with_the_same_key_is_another_request(
    storefront: Client, account: Any, whole: dict[str, Any]
) -> None:
    post_shipment(storefront, whole, **{"Idempotency-Key": "k"})
    whole["metadata"] = {"cart": "c-78"}
    whole["consignee"]["email"] = "ravi@shop.example"
    answer = post_shipment(storefront, whole, **{"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert answer.json()["fields"] == ["consignee.email", "metadata"]
