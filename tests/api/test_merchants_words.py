"""What merchants read has no name of a module or class, and says where and when to ask again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from couriers.contract.errors import Rejected, Unknown, plugin_fault
from couriers.models import CourierCall, Shipment
from tests.support.api import post_json, post_shipment
from tests.support.toy import ToyAdapter

CODE = re.compile(r"[A-Z]\w+(Error|Exception)\b|\w+_\w+|<class|type \"")


def fail_with(error: Exception) -> None:
    def on_create(*_: Any) -> None:
        raise error

    ToyAdapter.on_create = on_create


def test_a_fault_of_the_plug_in_is_told_without_its_class(
    storefront: Client, account: Any, order: Any
) -> None:
    fail_with(KeyError("tracking_id"))
    storefront.raise_request_exception = False
    post_shipment(storefront, order)
    failure = Shipment.objects.get().failure
    assert failure == "a fault of the platform, which is in its log"
    assert not CODE.search(failure)
    assert CourierCall.objects.get().code == "KeyError"  # for operators


def test_a_failure_is_told_without_the_operations_name(
    storefront: Client, account: Any, order: Any
) -> None:
    refusal = Rejected(
        "refused", courier="toy", operation="create_shipment", courier_message="No such pincode"
    )
    fail_with(refusal)
    assert post_shipment(storefront, order).status_code == 422
    assert Shipment.objects.get().failure == "refused: No such pincode"
    assert "create_shipment" not in refusal.reason
    assert "KeyError" not in plugin_fault(KeyError("x"), "toy").reason


def test_a_booking_in_doubt_says_where_and_when_to_ask(
    storefront: Client, account: Any, order: Any
) -> None:
    fail_with(Unknown("no answer", courier="toy"))
    for answer in (post_shipment(storefront, order), post_shipment(storefront, order)):
        assert answer.status_code == 202
        assert answer["Retry-After"] == "30"
        assert storefront.get(answer["Location"]).json()["status"] == "in_doubt"


def test_a_job_and_a_manifest_say_where_and_when_to_ask(
    storefront: Client, able: Any, shipment: Any, order: Any
) -> None:
    manifest = {"courier": "toy", "shipments": [shipment.pk]}
    for url, body in (("shipments/bulk/", {"orders": [order]}), ("manifests/", manifest)):
        answer = post_json(storefront, f"/api/v1/{url}", body)
        assert (answer.status_code, answer["Retry-After"]) == (202, "5")
        assert storefront.get(answer["Location"]).status_code == 200


def test_a_booked_shipment_says_where_it_is(storefront: Client, account: Any, order: Any) -> None:
    answer = post_shipment(storefront, order)
    assert answer.status_code == 201
    assert "Retry-After" not in answer
    assert storefront.get(answer["Location"]).json()["id"] == answer.json()["id"]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"items": "x"}, "items", "must be a list"),
        ({"items": ["x"]}, "items[0]", "must be an object"),
        ({"consignee": []}, "consignee", "must be an object"),
        ({"options": []}, "options", "must be an object"),
    ],
)
def test_a_value_of_another_type_is_told_without_pythons_names(
    storefront: Client, account: Any, order: Any, change: Any, field: str, message: str
) -> None:
    answer = post_shipment(storefront, order | change)
    assert answer.json()["errors"] == [{"field": field, "message": message}]
