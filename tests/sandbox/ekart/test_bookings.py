"""Create calls with all that the document allows, and cancellations."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart, assert_refused, day

SIZES = ("length", "width", "height")
PACKAGE = {"length": 10, "width": 10, "height": 10.5, "weight": 900, "count": "2"}
SEVERAL = {"mps": True, "items": [{"product_name": "Desk"}], "packages": [PACKAGE]}
RETURN = {"payment_mode": "Pickup", "return_reason": "Too small"}


def without(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


def test_a_shipment_of_several_packages_needs_no_sizes_of_its_own(ekart: Ekart) -> None:
    ekart.book("weight", *SIZES, **SEVERAL)


def test_the_sizes_of_a_shipment_of_several_packages_are_ignored(ekart: Ekart) -> None:
    ekart.book(**SEVERAL, length=0, weight=-1)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"items": []}, "items"),
        ({"items": [{"sku": "D-1"}]}, "product_name"),
        ({"items": ["Desk"]}, "item"),
        ({"items": [{"product_name": "Desk", "quantity": 0}]}, "quantity"),
        ({"packages": []}, "packages"),
        ({"packages": PACKAGE}, "packages"),
        ({"packages": [without(PACKAGE, "weight")]}, "packages.weight"),
        ({"packages": [PACKAGE | {"length": 0}]}, "packages.length"),
        ({"packages": [PACKAGE | {"count": "none"}]}, "packages.count"),
        (RETURN, "mps is for forward"),
        ({"mps": "yes"}, "mps"),
        ({"delayed_dispatch": True}, "delayed_dispatch"),
    ],
)
def test_several_packages_are_refused_with_an_invalid_field(
    ekart: Ekart, changes: dict[str, Any], about: str
) -> None:
    assert_refused(ekart.create(**(SEVERAL | changes)), about)


@pytest.mark.parametrize("missing", ["items", "packages"])
def test_several_packages_need_items_and_packages(ekart: Ekart, missing: str) -> None:
    assert_refused(ekart.create(**without(SEVERAL, missing)), missing)


def test_a_return_can_have_a_quality_check(ekart: Ekart) -> None:
    details = {"qc_shipment": True, "product_name": "Shoe", "product_images": ["http://x.example"]}
    ekart.book(**RETURN, qc_details=details)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"qc_details": {"qc_shipment": True, "product_name": "Shoe"}}, "payment_mode Pickup"),
        (RETURN | {"qc_details": {"qc_shipment": True}}, "product_name"),
        (RETURN | {"qc_details": {"qc_shipment": "yes"}}, "qc_shipment"),
        (RETURN | {"qc_details": {"product_name": 7}}, "product_name"),
        (RETURN | {"qc_details": {"product_images": "http://x.example"}}, "product_images"),
        (RETURN | {"qc_details": "yes"}, "qc_details"),
        ({"obd_shipment": 1}, "obd_shipment"),
        ({"what3words_address": ["a", "b", "c"]}, "what3words_address"),
        ({"ewbn": "123"}, "ewbn"),
        ({"templateName": "Template #1"}, "Only one of"),
        ({"delayed_dispatch": True, "preferred_dispatch_date": str(day(1))}, "excludes"),
        ({"delayed_dispatch": True, "weight": 20_001}, "delayed_dispatch"),
        ({"preferred_dispatch_date": str(day(0))}, "tomorrow"),
    ],
)
def test_a_create_call_is_refused_as_the_document_says(
    ekart: Ekart, changes: dict[str, Any], about: str
) -> None:
    assert_refused(ekart.create(**changes), about)


def test_optional_fields_are_accepted(ekart: Ekart) -> None:
    ekart.book(obd_shipment=True, what3words_address="daring.lion.race", ewbn="123456789012")
    ekart.book(what3words_address=None, preferred_dispatch_date=str(day(1)))


def test_a_known_template_replaces_the_sizes(ekart: Ekart) -> None:
    ekart.book(*SIZES, templateName="Template #1")
    assert_refused(ekart.create(*SIZES, templateName="My box"), "templateName")


def test_a_body_that_is_not_json_is_refused_and_recorded() -> None:
    with SandboxProcess("ekart", "--hold", "--record") as own:
        ekart = Ekart(own)
        answer = requests.put(
            f"{ekart.url}/api/v1/package/create", data="{", headers=ekart.headers, timeout=5
        )
        assert answer.status_code == 400
        assert answer.json()["message"] == "SWIFT_MALFORMED_INPUT_EXCEPTION"
        assert list(own.requests())[-1]["body"] == "{"


def test_as_errors_refuses_a_cancellation_by_an_error_answer() -> None:
    with SandboxProcess("ekart", "--hold", "--as-errors") as running:
        ekart = Ekart(running)
        tracking_id = ekart.book()["id"]
        for refused in (False, True):
            answer = ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
            assert (answer.status_code == 400) == refused
        assert_refused(answer, "already cancelled")
