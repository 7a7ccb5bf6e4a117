"""Ekart's adapter against the sandbox: real HTTP, real PostgreSQL, real Valkey."""

from __future__ import annotations

import dataclasses
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    CredentialsRefused,
    InvalidRequest,
    NotFound,
    NotSent,
    NotSupported,
    RateLimited,
    Rejected,
    TokenRefused,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Direction, Parcel, PaymentMode, RateRequest
from couriers.models import CourierToken, WarehouseRegistration
from couriers_ekart.adapter import EkartAdapter
from sandbox.process import SandboxProcess
from tests.support.drafts import draft_with
from tests.support.ekart import adapter_at, circuit_of, request_for
from tests.support.factories import CourierAccountFactory
from tests.support.sandboxes import sandbox_fixture
from tests.support.vendor_document import REQUESTS, validator

pytestmark = pytest.mark.django_db


sandbox = sandbox_fixture("--pace", "0", "--record", scope="module")


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    return adapter_at(sandbox.url)


def test_the_first_booking_registers_the_warehouse_and_later_ones_use_it(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    shipment = book(adapter.account.company, draft_with(courier="ekart")).shipment
    assert (bool(shipment.tracking_id), shipment.vendor) == (True, "EKART")
    row = WarehouseRegistration.objects.get(state="synced")
    before = sandbox.state()["calls"]["add_address"]
    book(adapter.account.company, draft_with(courier="ekart", order_number="A-2"))
    assert sandbox.state()["calls"]["add_address"] == before
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"][-1]
    assert sent["pickup_location"] == {"name": row.reference}


@pytest.mark.parametrize("packages", [[], [{"weight_g": 5, "length_cm": 1, "width_cm": 1,
                                            "height_cm": 1}]])  # fmt: skip
def test_an_order_with_a_free_gift_is_booked(
    adapter: EkartAdapter, sandbox: SandboxProcess, packages: list[Any]
) -> None:
    request = request_for(adapter, options={"packages": packages} if packages else {})
    gift = dataclasses.replace(request.items[0], name="Sachet", value=Decimal(0))
    request = dataclasses.replace(request, items=(*request.items, gift))
    adapter.check_request(request)
    assert adapter.create_shipment(request).tracking_id
    sent = list(sandbox.requests())[-1]["body"]
    assert sent["quantity"] == 2
    assert sent["total_amount"] == 1523.0
    assert "Sachet" in sent["products_desc"]


def test_max_create_seconds_follows_from_the_time_outs(settings: Any) -> None:
    times = {"CONNECT_TIMEOUT": 1.0, "READ_TIMEOUT": 7.0}
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"ekart": times}}
    assert EkartAdapter.max_create_seconds() == 15.0


def test_two_merchants_of_one_courier_never_share_an_adapter(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    other = adapter_at(sandbox.url)
    assert other is not adapter
    assert other.client is not adapter.client
    assert CourierFactory.get_adapter(adapter.account) is adapter
    for one in (adapter, other):
        one.create_shipment(request_for(one))
    sent = [r["body"] for r in sandbox.requests() if r["operation"] == "create_shipment"]
    names = {one.account.company.name for one in (adapter, other)}
    assert {body["seller_name"] for body in sent[-2:]} == names
    # A changed login is used at once.
    adapter.account.login["username"] = "another"
    adapter.account.save()
    assert CourierFactory.get_adapter(adapter.account) is not adapter


def test_the_stored_answer_is_replayed_while_the_circuit_is_open(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    draft = draft_with(courier="ekart")
    first = book(adapter.account.company, draft)
    circuit = circuit_of(adapter)
    for _ in range(5):
        circuit.before_call()
        circuit.record_failure()
    assert circuit.state() == "open"
    again = book(adapter.account.company, draft)
    assert (again.body, again.replayed) == (first.body, True)
    with pytest.raises(CircuitOpen):
        book(adapter.account.company, dataclasses.replace(draft, order_number="A-2"))


def test_refusals_do_not_open_the_circuit(adapter: EkartAdapter) -> None:
    for _ in range(8):
        with pytest.raises(NotFound):
            adapter.track_shipment("500NOPE")
        with pytest.raises(Rejected):
            adapter.client.call("create_shipment", json={"order_number": "A-1"})
    assert circuit_of(adapter).state() == "closed"
    assert adapter.create_shipment(request_for(adapter)).tracking_id


def test_the_http_session_never_retries(adapter: EkartAdapter, sandbox: SandboxProcess) -> None:
    for kind in ("error_before", "rate_limited", "reset_after"):
        sandbox.set_faults(("serviceability", kind, 1.0))
        before = sandbox.state()["calls"].get("serviceability", 0)
        with pytest.raises(CourierError):
            adapter.check_serviceability("560001")
        assert sandbox.state()["calls"]["serviceability"] == before + 1, kind
    sandbox.set_faults()


def test_a_call_with_a_refused_token_is_repeated_with_a_new_one(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    adapter.create_shipment(request_for(adapter))
    sandbox.post("/_sandbox/revoke-token", {})
    assert adapter.create_shipment(request_for(adapter, order_number="A-3")).tracking_id
    assert CourierToken.objects.get().version == 2


def test_a_refused_token_that_ekart_returns_again_raises_token_refused(
    adapter: EkartAdapter,
) -> None:
    tokens = adapter.client._tokens
    token = tokens.current()
    for _ in range(2):
        with pytest.raises(TokenRefused):
            tokens.newer_than(token)


def test_a_token_is_stored_encrypted_and_shared_by_adapters(adapter: EkartAdapter) -> None:
    first = adapter.client._tokens.current()
    other = EkartAdapter(adapter.account).client._tokens.current()
    assert other.header == first.header
    assert first.header.split()[1] not in repr(first)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM shipcrowd_couriers_couriertoken t")
        assert first.header.split()[1] not in str(cursor.fetchall())


def test_a_wrong_password_raises_credentials_refused(adapter: EkartAdapter) -> None:
    adapter.account.login["password"] = "wrong"
    adapter.account.save()
    with pytest.raises(CredentialsRefused):
        EkartAdapter(adapter.account).check_serviceability("560001")
    with pytest.raises(CredentialsRefused):
        book(adapter.account.company, draft_with(courier="ekart"))
    # It says nothing of the warehouse, which is registered once the password is right.
    assert WarehouseRegistration.objects.get().state == "pending"


def test_tracking_returns_the_scans_and_an_unknown_id_is_not_found(adapter: EkartAdapter) -> None:
    booking = adapter.create_shipment(request_for(adapter))
    tracking = adapter.track_shipment(booking.tracking_id)
    assert tracking.order_number == "A-1"
    assert tracking.scans[0].mapped.status == "booked"
    with pytest.raises(NotFound):
        adapter.track_shipment("500NOPE")


def test_cancelling_a_cancelled_shipment_is_done_and_a_delivered_one_is_refused(
    adapter: EkartAdapter,
) -> None:
    with SandboxProcess("ekart", "--hold") as held:
        adapter.account.base_url = held.url
        adapter.account.save()
        fresh = EkartAdapter(adapter.account)
        booking = fresh.create_shipment(request_for(adapter))
        assert fresh.cancel_shipment(booking.tracking_id).state == "done"
        assert fresh.cancel_reverse_shipment(booking.tracking_id).state == "done"
        held.post("/_sandbox/advance", {"tracking_id": booking.tracking_id, "status": "Delivered"})
        other = fresh.create_shipment(request_for(adapter, order_number="A-5"))
        held.post("/_sandbox/advance", {"tracking_id": other.tracking_id, "status": "Delivered"})
        with pytest.raises(Rejected, match="cannot be cancelled"):
            fresh.cancel_shipment(other.tracking_id)


def test_already_registered_and_already_cancelled_are_done_as_error_answers_too(
    adapter: EkartAdapter,
) -> None:
    with SandboxProcess("ekart", "--hold", "--as-errors") as running:
        fresh = EkartAdapter(CourierAccountFactory(base_url=running.url))
        pickup = request_for(adapter).pickup
        first = fresh.create_warehouse(pickup)
        again = fresh.create_warehouse(dataclasses.replace(pickup, reference=first.reference))
        assert (again.reference, again.remark) == (first.reference, "Alias already exists")
        nowhere = dataclasses.replace(pickup.address, pincode="999001")
        with pytest.raises(Rejected, match="not serviceable"):
            fresh.create_warehouse(dataclasses.replace(pickup, address=nowhere))
        registered = dataclasses.replace(pickup, reference=first.reference)
        booking = fresh.create_shipment(request_for(adapter, pickup=registered))
        for _ in range(2):
            assert fresh.cancel_shipment(booking.tracking_id).state == "done"
        other = fresh.create_shipment(request_for(adapter, pickup=registered))
        running.post("/_sandbox/advance", {"tracking_id": other.tracking_id, "status": "Delivered"})
        with pytest.raises(Rejected, match="cannot be cancelled"):
            fresh.cancel_shipment(other.tracking_id)


def test_a_return_is_booked_only_with_a_reason(adapter: EkartAdapter) -> None:
    back = request_for(adapter, direction=Direction.REVERSE)
    with pytest.raises(InvalidRequest, match="return_reason"):
        adapter.create_reverse_shipment(back)
    back = dataclasses.replace(back, return_reason="Wrong size", order_number="A-1-R1")
    assert adapter.create_reverse_shipment(back).tracking_id


def test_rates_are_returned_for_both_services(adapter: EkartAdapter) -> None:
    request = RateRequest(
        "560001", "110001", Parcel(700, 30, 22, 8), PaymentMode.COD, Decimal(999), Decimal(999)
    )
    quotes = adapter.get_rates(request)
    assert [quote.service for quote in quotes] == ["SURFACE", "EXPRESS"]
    for quote in quotes:
        parts = sum(amount for name, amount in quote.parts.items() if name != "rto")
        assert quote.total == parts


def test_serviceability_of_a_served_and_an_unserved_pincode(adapter: EkartAdapter) -> None:
    served = adapter.check_serviceability("560008")
    assert (served.serviceable, served.state, served.cod) == (True, "Karnataka", True)
    assert not adapter.check_serviceability("999999").serviceable


def test_an_unsupported_operation_is_refused_before_any_call(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    before = sum(sandbox.state()["calls"].values())
    with pytest.raises(NotSupported):
        adapter.get_proof_of_delivery("x")
    assert sum(sandbox.state()["calls"].values()) == before


@pytest.mark.parametrize(
    ("gstin", "words"), [("", "missing"), ("29AAGCR4375J1ZX", "check digit"), ("29", "15")]
)
def test_a_bad_gstin_is_refused_before_any_call_naming_the_field(
    adapter: EkartAdapter, sandbox: SandboxProcess, gstin: str, words: str
) -> None:
    before = sum(sandbox.state()["calls"].values())
    request = request_for(adapter)
    bad = dataclasses.replace(request, seller=dataclasses.replace(request.seller, gstin=gstin))
    with pytest.raises(InvalidRequest, match=words) as caught:
        adapter.create_shipment(bad)
    assert [p.field for p in caught.value.problems] == ["seller.gstin"]
    assert sum(sandbox.state()["calls"].values()) == before


def test_a_refused_booking_names_every_field_at_once(adapter: EkartAdapter) -> None:
    request = request_for(
        adapter,
        cod_amount=Decimal(50_000),
        parcel=Parcel(30_001, 1, 1, 1),
        service="PIGEON",
        options={"preferred_dispatch_date": "2020-01-01", "alternate_phone": "9876543210"},
    )
    with pytest.raises(InvalidRequest) as caught:
        adapter.create_shipment(request)
    assert {p.field for p in caught.value.problems} == {
        "cod_amount", "parcel.weight_g", "service", "options.preferred_dispatch_date",
    }  # fmt: skip
    with pytest.raises(InvalidRequest, match=r"options\.nope"):
        adapter.validate_options({"nope": 1})
    with pytest.raises(InvalidRequest, match="exclude each other"):
        adapter.validate_options(
            {"delayed_dispatch": True, "preferred_dispatch_date": "2030-01-01"}
        )


def test_an_unreachable_courier_raises_not_sent_and_opens_the_circuit(
    adapter: EkartAdapter,
) -> None:
    adapter.account.base_url = "http://127.0.0.1:9"
    adapter.account.save()
    fresh = EkartAdapter(adapter.account)
    for _ in range(5):
        with pytest.raises(NotSent, match="could not connect"):
            fresh.track_shipment("x")
    with pytest.raises(CircuitOpen):
        fresh.track_shipment("x")
    circuit_of(fresh).reset()
    assert circuit_of(fresh).state() == "closed"


def test_the_accounts_own_limit_replaces_the_default(adapter: EkartAdapter) -> None:
    adapter.account.limits = {"serviceability": {"count": 1, "window": 60}}
    adapter.account.save()
    fresh = EkartAdapter(adapter.account)
    fresh.check_serviceability("560001")
    with pytest.raises(RateLimited) as caught:
        fresh.check_serviceability("560001")
    assert 50 < (caught.value.retry_after or 0) <= 60


def test_every_request_validates_against_the_vendors_document(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    validators = {operation: validator(name) for operation, name in REQUESTS.items()}
    others = len(list(sandbox.requests()))  # some of them wrong on purpose
    adapter.create_warehouse(request_for(adapter).pickup)
    adapter.create_shipment(request_for(adapter, payment_mode=PaymentMode.COD,
                                        cod_amount=Decimal(1523)))  # fmt: skip
    adapter.create_reverse_shipment(
        request_for(adapter, direction=Direction.REVERSE, return_reason="Wrong size")
    )
    adapter.create_shipment(request_for(adapter, options={
        "alternate_phone": "9845011111", "delayed_dispatch": True, "open_box_delivery": True,
        "ewaybill_number": "123456789012", "what3words": "a.b.c"}))  # fmt: skip
    adapter.get_rates(
        RateRequest("560001", "110001", Parcel(1, 1, 1, 1), PaymentMode.PREPAID, Decimal(9))
    )
    requests = list(sandbox.requests())[others:]
    seen = Counter(sent["operation"] for sent in requests)
    for sent in requests:
        if sent["operation"] in validators:
            validators[sent["operation"]].validate(sent["body"])
    assert all(seen[operation] for operation in REQUESTS)
