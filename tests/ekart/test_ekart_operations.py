"""The document's operations: made by the client, answered by the sandbox, checked both ways."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from couriers.contract import india
from couriers.contract.actions import ReattemptRequest
from couriers.contract.masking import MASK
from couriers.contract.types import Direction, Parcel, PaymentMode, RateRequest
from couriers.http.client import CourierClient
from couriers_ekart.adapter import EkartAdapter
from couriers_ekart.client import OPERATIONS
from couriers_ekart.mapper import payloads
from sandbox.process import SandboxProcess
from tests.support.ekart import adapter_at, request_for
from tests.support.sandboxes import sandbox_fixture
from tests.support.vendor_document import operations, request_validator, response_validator

pytestmark = pytest.mark.django_db


sandbox = sandbox_fixture("--hold", "--record", "--pincodes", "50", scope="module")


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    return adapter_at(sandbox.url)


def calls(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> dict[tuple[str, str], Callable[[], Any]]:
    """One call for each operation, as the adapter makes it."""
    client: CourierClient = adapter.client
    tomorrow = india.today() + dt.timedelta(days=1)
    lane = RateRequest(
        "560001", "110001", Parcel(700, 30, 22, 8), PaymentMode.COD, Decimal(999), Decimal(999)
    )
    booking = adapter.create_shipment(
        request_for(adapter, order_number="OPS-1", options={"delayed_dispatch": True})
    )
    failed = adapter.create_shipment(request_for(adapter, order_number="OPS-2"))
    sandbox.post("/_sandbox/advance", {"tracking_id": failed.tracking_id, "status": "Undelivered"})
    unwanted = adapter.create_shipment(request_for(adapter, order_number="OPS-4"))
    hook = {"url": "http://127.0.0.1:1/", "secret": "a-secret", "topics": ["track_updated"]}
    webhook = client.call("add_webhook", json=hook)
    request = request_for(adapter, order_number="OPS-3", options=EVERYTHING)
    pickup = request.pickup
    return {
        ("POST", "/integrations/v2/auth/token/{client_id}"): client.log_in,
        ("PUT", "/api/v1/package/create"): lambda: client.call(
            "create_shipment", json=payloads.shipment_payload(request)
        ),
        ("DELETE", "/api/v1/package/cancel"): lambda: client.call(
            "cancel_shipment", params={"tracking_id": unwanted.tracking_id}
        ),
        ("POST", "/data/shipment/dispatch-date"): lambda: client.call(
            "set_dispatch_date", json={"ids": [booking.tracking_id], "dispatchDate": str(tomorrow)}
        ),
        ("POST", "/api/v1/package/label"): lambda: client.call(
            "label", json={"ids": [booking.tracking_id]}
        ),
        ("POST", "/data/v2/generate/manifest"): lambda: client.call(
            "manifest", json={"ids": [booking.tracking_id]}
        ),
        ("POST", "/api/v2/package/ndr"): lambda: client.call(
            "ndr",
            json=payloads.reattempt_payload(
                ReattemptRequest(failed.tracking_id, tomorrow, "9845011111", "2, New Lane", "Ring")
            ),
        ),
        ("GET", "/api/v1/track/{id}"): lambda: client.call(
            "track", tracking_id=booking.tracking_id
        ),
        ("GET", "/data/v1/elite/track/{wbn}"): lambda: client.call(
            "raw_track", waybill=booking.waybill
        ),
        ("GET", "/api/v2/serviceability/{pincode}"): lambda: client.call(
            "serviceability", pincode="560008"
        ),
        ("POST", "/data/v3/serviceability"): lambda: client.call(
            "lane_serviceability", json=payloads.lane_payload(lane, "SURFACE")
        ),
        ("GET", "/data/serviceability/bulk/{type}"): lambda: client.call(
            "bulk_serviceability", kind="NON_LARGE"
        ),
        ("POST", "/api/v2/address"): lambda: client.call(
            "add_address", json=payloads.address_payload(pickup, "ops")
        ),
        ("GET", "/api/v2/webhook"): lambda: client.call("list_webhooks"),
        ("POST", "/api/v2/webhook"): lambda: client.call("add_webhook", json=hook),
        ("PUT", "/api/v2/webhook/{webhook_id}"): lambda: client.call(
            "edit_webhook", webhook_id=webhook["id"], json=hook
        ),
        ("GET", "/api/v2/addresses"): lambda: client.call("list_addresses"),
        ("POST", "/data/pricing/estimate"): lambda: client.call(
            "estimate", json=payloads.estimate_payload(lane, "SURFACE", "EXISTING_CLIENT")
        ),
    }


EVERYTHING: dict[str, Any] = {
    "alternate_phone": "98450 11111",
    "preferred_dispatch_date": (india.today() + dt.timedelta(days=2)).isoformat(),
    "open_box_delivery": True,
    "ewaybill_number": "123456789012",
    "what3words": "///filled.count.soap",
    "location_type": "Office",
    "consignee_gstin": "29AAGCR4375J1ZU",
    "packages": [
        {"weight_g": 500, "length_cm": 20, "width_cm": 10, "height_cm": 5},
        {"weight_g": 700, "length_cm": 30, "width_cm": 10, "height_cm": 5, "count": 2},
    ],
}


def test_requests_and_answers_of_every_operation_validate_against_the_document(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    listed = operations()
    made = calls(adapter, sandbox)
    assert len(listed) == 18
    assert set(made) == listed
    for (method, path), call in made.items():
        before = len(list(sandbox.requests()))
        answer = call()
        sent = list(sandbox.requests())[before:]
        mine = [one for one in sent if one["method"] == method and _matches(path, one["path"])]
        assert mine, f"{method} {path} was not called"
        if (requests := request_validator(method, path)) and mine[-1]["body"] is not None:
            requests.validate(mine[-1]["body"])
        if isinstance(answer, bytes):
            assert answer.startswith(b"%PDF-"), path
        else:
            if isinstance(answer, dict) and "secret" in answer:
                assert answer["secret"] == MASK  # the client does not let it come back
                answer["secret"] = "a-secret"
            response_validator(method, path, 200).validate(answer)


def test_every_operation_of_the_client_has_a_limit_and_a_sandbox_handler(
    sandbox: SandboxProcess,
) -> None:
    from sandbox.ekart.app import EkartSandbox
    from sandbox.ekart.options import EkartOptions

    handled = {operation.name for operation in EkartSandbox(EkartOptions()).operations()}
    # The sandbox calls the token's operation by another name.
    assert {name for name in OPERATIONS if name != "get_token"} == handled - {"auth"}


@pytest.mark.parametrize("changes", [
    {},
    {"payment_mode": PaymentMode.COD, "cod_amount": Decimal("1523.00")},
    {"options": EVERYTHING},
    {"options": {"template_name": "Template #1"}},
    {"options": {"delayed_dispatch": True}},
    {"direction": Direction.REVERSE, "return_reason": "Wrong size", "options": {
        "quality_check": {"product_name": "T-shirt", "product_images": ["https://a.example/1"]}}},
])  # fmt: skip
def test_every_kind_of_booking_validates_against_the_document_and_is_accepted(
    adapter: EkartAdapter, sandbox: SandboxProcess, changes: dict[str, Any]
) -> None:
    request = request_for(adapter, **changes)
    validator = request_validator("PUT", "/api/v1/package/create")
    assert validator is not None
    validator.validate(payloads.shipment_payload(request))
    assert adapter.create_shipment(request).tracking_id


def _matches(template: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path))
