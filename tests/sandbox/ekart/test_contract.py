"""Ekart's sandbox against the vendor's document: its operations and the shapes of its answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.ekart.app import EkartSandbox
from sandbox.ekart.options import EkartOptions
from tests.support.sandbox_client import LANE, Ekart, day, noon
from tests.support.vendor_document import operations, response_validator

ESTIMATE = {
    "billingClientType": "EXISTING_CLIENT", "shippingDirection": "FORWARD",
    "serviceType": "SURFACE", "pickupPincode": 560001, "dropPincode": 110001,
    "length": 10, "width": 10, "height": 10, "weight": 500,
}  # fmt: skip
ADDRESS = {
    "alias": "Contract", "phone": 9876543210, "address_line1": "1, Example Road", "pincode": 560001
}  # fmt: skip
WEBHOOK = {"url": "http://127.0.0.1:9/", "secret": "a secret", "topics": ["shipment_recreated"]}

# How each operation is called with a client.
Call = Callable[[Ekart], requests.Response]


def _cancel(ekart: Ekart) -> requests.Response:
    return ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=ekart.book()["id"])


def _dispatch(ekart: Ekart) -> requests.Response:
    body = {"ids": [ekart.book(delayed_dispatch=True)["id"], "x"], "dispatchDate": str(day(1))}
    return ekart.call("POST", "/data/shipment/dispatch-date", body)


def _ndr(ekart: Ekart) -> requests.Response:
    tracking_id = ekart.book()["id"]
    ekart.advance(tracking_id, "Undelivered")
    body = {"action": "Re-Attempt", "wbn": tracking_id, "date": noon(1)}
    return ekart.call("POST", "/api/v2/package/ndr", body)


def _track(ekart: Ekart) -> requests.Response:
    tracking_id = ekart.book()["id"]
    for status in ("Picked Up", "Undelivered"):
        ekart.advance(tracking_id, status)
    return ekart.call("GET", f"/api/v1/track/{tracking_id}")


def _raw_track(ekart: Ekart, **changes: Any) -> requests.Response:
    shipment = ekart.book(**changes)
    for status in ("Picked Up", "Delivered"):
        ekart.advance(shipment["id"], status)
    return ekart.call("GET", f"/data/v1/elite/track/{shipment['wbn']}")


def _edit_webhook(ekart: Ekart) -> requests.Response:
    made = ekart.call("POST", "/api/v2/webhook", WEBHOOK).json()
    return ekart.call("PUT", f"/api/v2/webhook/{made['id']}", {"active": False})


def _list_webhooks(ekart: Ekart) -> requests.Response:
    ekart.call("POST", "/api/v2/webhook", WEBHOOK)
    return ekart.call("GET", "/api/v2/webhook")


def _list_addresses(ekart: Ekart) -> requests.Response:
    ekart.call("POST", "/api/v2/address", ADDRESS)
    return ekart.call("GET", "/api/v2/addresses")


CALLS: dict[tuple[str, str], Call] = {
    ("POST", "/integrations/v2/auth/token/{client_id}"): Ekart.auth,
    ("PUT", "/api/v1/package/create"): Ekart.create,
    ("DELETE", "/api/v1/package/cancel"): _cancel,
    ("POST", "/data/shipment/dispatch-date"): _dispatch,
    ("POST", "/api/v1/package/label"): lambda ekart: ekart.call(
        "POST", "/api/v1/package/label", {"ids": [ekart.book()["id"]]}
    ),
    ("POST", "/data/v2/generate/manifest"): lambda ekart: ekart.call(
        "POST", "/data/v2/generate/manifest", {"ids": [ekart.book()["id"]]}
    ),
    ("POST", "/api/v2/package/ndr"): _ndr,
    ("GET", "/api/v1/track/{id}"): _track,
    ("GET", "/data/v1/elite/track/{wbn}"): _raw_track,
    ("GET", "/api/v2/serviceability/{pincode}"): lambda ekart: ekart.call(
        "GET", "/api/v2/serviceability/560001"
    ),
    ("POST", "/data/v3/serviceability"): lambda ekart: ekart.call(
        "POST", "/data/v3/serviceability", LANE
    ),
    ("GET", "/data/serviceability/bulk/{type}"): lambda ekart: ekart.call(
        "GET", "/data/serviceability/bulk/NON_LARGE"
    ),
    ("POST", "/data/pricing/estimate"): lambda ekart: ekart.call(
        "POST", "/data/pricing/estimate", ESTIMATE
    ),
    ("POST", "/api/v2/address"): lambda ekart: ekart.call("POST", "/api/v2/address", ADDRESS),
    ("GET", "/api/v2/addresses"): _list_addresses,
    ("POST", "/api/v2/webhook"): lambda ekart: ekart.call("POST", "/api/v2/webhook", WEBHOOK),
    ("GET", "/api/v2/webhook"): _list_webhooks,
    ("PUT", "/api/v2/webhook/{webhook_id}"): _edit_webhook,
}
# The one answer that is not JSON.
PDF = ("POST", "/api/v1/package/label")


def assert_fits(answer: requests.Response, method: str, path: str) -> None:
    response_validator(method, path, answer.status_code).validate(answer.json())


def test_every_operation_of_the_document_has_a_handler() -> None:
    ours = {(o.method, o.path) for o in EkartSandbox(EkartOptions()).operations()}
    assert ours == operations()
    assert set(CALLS) == operations()


@pytest.mark.parametrize(("method", "path"), sorted(set(CALLS) - {PDF}))
def test_an_answer_has_the_shape_of_the_document(ekart: Ekart, method: str, path: str) -> None:
    answer = CALLS[method, path](ekart)
    assert answer.status_code == 200, answer.text
    assert_fits(answer, method, path)


def test_a_label_is_the_binary_of_the_document(ekart: Ekart) -> None:
    answer = CALLS[PDF](ekart)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.content.startswith(b"%PDF")


def test_the_answer_about_an_unserved_pincode_has_the_shape_of_the_document(ekart: Ekart) -> None:
    answer = ekart.call("GET", "/api/v2/serviceability/999001")
    assert_fits(answer, "GET", "/api/v2/serviceability/{pincode}")


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": 21_000},
        {
            "mps": True,
            "items": [{"product_name": "Desk"}],
            "packages": [{"length": 9, "width": 9, "height": 9, "weight": 900, "count": "2"}],
        },
    ],
)
def test_the_history_of_large_goods_has_the_other_shape_of_the_document(
    ekart: Ekart, changes: dict[str, Any]
) -> None:
    path = "/data/v1/elite/track/{wbn}"
    answer = _raw_track(ekart, **changes)
    assert_fits(answer, "GET", path)
    (history,) = answer.json().values()
    assert "is_mps" in history


@pytest.mark.parametrize(("method", "path"), sorted(set(CALLS)))
def test_an_error_has_the_shape_of_the_document(ekart: Ekart, method: str, path: str) -> None:
    stranger = requests.request(
        method, ekart.url + re.sub(r"\{.*\}", "unknown", path), json={}, timeout=5
    )
    assert stranger.status_code in (401, 404)
    assert_fits(stranger, method, path)
