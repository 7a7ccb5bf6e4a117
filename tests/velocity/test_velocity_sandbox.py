"""Velocity's plug-in and the platform against the sandbox, with each oddity that the facts name."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.actions import ActionState, ReattemptRequest
from couriers.contract.errors import (
    CredentialsRefused,
    InvalidRequest,
    NotFound,
    NotSent,
    OrderKept,
    Rejected,
    TokenRefused,
    Unknown,
)
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, Parcel, PaymentMode, RateRequest
from couriers.models import CourierAccount, WarehouseRegistration
from couriers_velocity.adapter import VelocityAdapter
from sandbox.process import SandboxProcess
from tests.support.velocity import account_at, adapter_of, draft_for, request_for

pytestmark = pytest.mark.django_db(transaction=True)
BACK: dict[str, Any] = {"direction": Direction.REVERSE, "return_reason": "Wrong size"}
OLDER = {"username": "+919876543210", "password": "sandbox"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess("velocity", "--hold") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox, which afterwards is as it was, and has had no invalid request of ours."""
    yield running
    running.set_switches(
        no_awb_rate=0, duplicate_orders="books", unknown_awb="missing", tracking_limit=100,
        search_lag=0, failed_awb="ok", refuses_with_200=False, cancel_again="accepted",
        status_form="snake", error_text="message", key_scheme="both", fall_through_rate=0,
    )  # fmt: skip
    running._ask("/_sandbox/wallet", {"rupees": 10_000_000}, "PUT")


@pytest.fixture
def account(sandbox: SandboxProcess) -> CourierAccount:
    return account_at(sandbox.url)


@pytest.fixture
def adapter(account: CourierAccount) -> VelocityAdapter:
    return adapter_of(account)


def registered(adapter: VelocityAdapter, **changes: Any) -> Any:
    """Return a request from a warehouse that Velocity has."""
    request = request_for(adapter, **changes)
    pickup = dataclasses.replace(request.pickup, reference="")
    reference = adapter.create_warehouse(pickup).reference
    return dataclasses.replace(request, pickup=dataclasses.replace(pickup, reference=reference))


def advance(sandbox: SandboxProcess, awb: str, *words: str) -> None:
    for word in words:
        sandbox.post("/_sandbox/advance", {"tracking_id": awb, "status": word})


def orders(sandbox: SandboxProcess, order_number: str) -> list[Any]:
    return [o for o in sandbox.list_all("/_sandbox/orders") if o["order_number"] == order_number]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_booking_brings_carrier_charges_and_label(adapter: VelocityAdapter) -> None:
    booking = adapter.create_shipment(registered(adapter))
    assert booking.vendor
    assert booking.courier_order_id.startswith("ORD")
    assert booking.charges
    assert booking.charges.total == sum(
        value for name, value in booking.charges.parts.items() if name != "rto"
    )
    assert booking.charges.billed_weight_g
    (label,) = booking.documents
    assert label.kind == "label"


def test_a_shipment_is_booked_from_a_new_warehouse_and_its_label_is_stored(
    account: CourierAccount,
) -> None:
    result = book(account.company, draft_for())
    assert (result.status_code, result.shipment.status) == (201, "booked")
    registration = WarehouseRegistration.objects.get()
    number, _, name = registration.reference.partition("/")
    assert number
    assert name.startswith("main-gate-")
    again = book(account.company, draft_for())
    assert again.status_code == 201
    assert WarehouseRegistration.objects.get().reference == registration.reference


def test_a_return_with_a_quality_check_is_booked_without_a_label(adapter: VelocityAdapter) -> None:
    check = {"product_name": "T-shirt", "product_image": "https://shop.example/t.jpg"}
    booking = adapter.create_reverse_shipment(
        registered(adapter, **BACK, options={"quality_check": check})
    )
    assert booking.documents == ()
    assert booking.charges
    assert "quality_check" in booking.charges.parts


def test_an_order_that_no_carrier_takes_is_kept_and_looked_for_before_it_is_sent_again(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    sandbox.set_switches(no_awb_rate=1)
    draft = draft_for()
    with pytest.raises(OrderKept, match="no carrier took the order, which Velocity has as SHI"):
        book(account.company, draft, key="first")
    assert len(orders(sandbox, draft.order_number)) == 1
    sandbox.set_switches(no_awb_rate=0)
    searches = sandbox.state()["calls"].get("find_shipment", 0)
    assert book(account.company, draft, key="second").status_code == 201
    assert sandbox.state()["calls"].get("find_shipment", 0) == searches + 1


def test_a_create_without_awb_may_be_an_error_as_well(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_switches(no_awb_rate=1, failed_awb="error")
    with pytest.raises(OrderKept) as caught:
        adapter.create_shipment(registered(adapter))
    assert caught.value.courier_message


def test_an_empty_wallet_is_told_in_words_that_say_what_to_do(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    request = registered(adapter)
    sandbox._ask("/_sandbox/wallet", {"rupees": 0}, "PUT")
    with pytest.raises(Rejected, match="recharge it in Velocity's panel"):
        adapter.create_shipment(request)


@pytest.mark.parametrize("field", ["message", "error", "errors"])
@pytest.mark.parametrize("with_200", [False, True])
def test_a_refusal_is_one_wherever_its_words_are(
    adapter: VelocityAdapter, sandbox: SandboxProcess, field: str, with_200: bool
) -> None:
    request = registered(adapter)
    unknown = dataclasses.replace(request.pickup, reference="WH-NONE/Nowhere")
    sandbox.set_switches(error_text=field, refuses_with_200=with_200)
    with pytest.raises(Rejected) as caught:
        adapter.create_shipment(dataclasses.replace(request, pickup=unknown))
    assert "arehouse" in caught.value.courier_message


def test_an_order_number_that_is_sent_again_never_books_a_second_parcel_as_another(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    request = registered(adapter)
    first = adapter.create_shipment(request)
    sandbox.set_switches(duplicate_orders="existing")
    assert adapter.create_shipment(request).tracking_id == first.tracking_id
    sandbox.set_switches(duplicate_orders="refuses")
    with pytest.raises(Unknown, match="has an order of this number already"):
        adapter.create_shipment(request)
    adapter.cancel_shipment(first.tracking_id)
    wait_for(lambda: status(adapter, first.tracking_id) is Status.CANCELLED)
    with pytest.raises(Rejected, match="book under another one"):
        adapter.create_shipment(request)


def status(adapter: VelocityAdapter, awb: str) -> Status | None:
    scans = adapter.track_shipment(awb).scans
    return scans[-1].mapped.status if scans else Status.BOOKED


def test_a_cancellation_is_accepted_and_the_status_tells_when_it_is_done(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    awb = adapter.create_shipment(registered(adapter)).tracking_id
    assert adapter.cancel_shipment(awb).state is ActionState.ACCEPTED
    sandbox.set_switches(cancel_again="refused")
    assert adapter.cancel_shipment(awb).state is ActionState.ACCEPTED
    wait_for(lambda: status(adapter, awb) is Status.CANCELLED)
    picked_up = adapter.create_shipment(registered(adapter)).tracking_id
    advance(sandbox, picked_up, "picked_up")
    with pytest.raises(Rejected):
        adapter.cancel_shipment(picked_up)


def test_an_undelivered_parcel_is_tried_again_at_another_address_or_sent_back(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    awb = adapter.create_shipment(registered(adapter)).tracking_id
    with pytest.raises(Rejected, match="NDR is not raised"):
        adapter.request_reattempt(ReattemptRequest(awb))
    advance(sandbox, awb, "ndr_raised")
    change = ReattemptRequest(awb, address="10, New Lane", phone="9876543211", instructions="Ring")
    assert adapter.update_delivery_address(change).state is ActionState.DONE
    assert adapter.request_rto(awb).status is Status.RTO_REQUESTED


@pytest.mark.parametrize("answer", ["missing", "null", "error", "refuses"])
def test_an_unknown_awb_hides_no_other(
    adapter: VelocityAdapter, sandbox: SandboxProcess, answer: str
) -> None:
    awbs = [adapter.create_shipment(registered(adapter)).tracking_id for _ in range(3)]
    sandbox.set_switches(unknown_awb=answer)
    found = adapter.track_shipments([awbs[0], "999999999999999", *awbs[1:]])
    assert set(found) == set(awbs)
    with pytest.raises(NotFound if answer != "refuses" else Rejected):
        adapter.track_shipment("999999999999999")


def test_a_batch_that_is_too_large_is_asked_about_in_halves(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    awbs = [adapter.create_shipment(registered(adapter)).tracking_id for _ in range(5)]
    sandbox.set_switches(tracking_limit=2)
    assert set(adapter.track_shipments(awbs)) == set(awbs)


@pytest.mark.parametrize("form", ["title", "dash", "upper"])
def test_a_status_is_read_however_it_is_written(
    adapter: VelocityAdapter, sandbox: SandboxProcess, form: str
) -> None:
    awb = adapter.create_shipment(registered(adapter)).tracking_id
    sandbox.set_switches(status_form=form)
    advance(sandbox, awb, "picked_up", "out_for_delivery")
    assert status(adapter, awb) is Status.OUT_FOR_DELIVERY


def test_rates_are_by_carrier_and_a_booking_takes_one_of_them(adapter: VelocityAdapter) -> None:
    lane = RateRequest(
        "560034", "110001", Parcel(240, 10, 10, 10), PaymentMode.COD, Decimal(1000), Decimal(1000)
    )
    quotes = adapter.get_rates(lane)
    assert len(quotes) > 1
    last = quotes[-1]
    assert last.total > 0
    assert last.billed_weight_g
    assert last.min_days is not None
    assert adapter.get_rates(dataclasses.replace(lane, service=last.service)) == [last]
    assert adapter.create_shipment(registered(adapter, service=last.service)).tracking_id
    assert adapter.get_rates(dataclasses.replace(lane, direction=Direction.REVERSE))


def test_a_lane_is_served_or_not(adapter: VelocityAdapter) -> None:
    served = adapter.check_serviceability("110001", origin="560034")
    assert (served.serviceable, served.forward_drop) == (True, True)
    assert served.cod is not None
    assert served.reverse_pickup is not None


def test_a_booking_is_found_by_its_number_alone_in_both_directions(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    request = registered(adapter)
    assert adapter.find_booking(request) is None
    booking = adapter.create_shipment(request)
    found = adapter.find_booking(request)
    assert found
    assert (found.tracking_id, found.vendor) == (booking.tracking_id, booking.vendor)
    back = registered(adapter, **BACK)
    booked = adapter.create_reverse_shipment(back)
    found = adapter.find_booking(back)
    assert found
    assert found.tracking_id == booked.tracking_id
    sandbox.set_switches(no_awb_rate=1)
    kept = registered(adapter)
    with pytest.raises(OrderKept):
        adapter.create_shipment(kept)
    with pytest.raises(OrderKept):
        adapter.find_booking(kept)


def test_a_warehouse_with_a_reference_is_never_registered_again(
    adapter: VelocityAdapter, sandbox: SandboxProcess
) -> None:
    pickup = registered(adapter).pickup
    before = sandbox.state()["calls"]["add_warehouse"]
    assert adapter.create_warehouse(pickup).reference == pickup.reference
    assert sandbox.state()["calls"]["add_warehouse"] == before
    with pytest.raises(InvalidRequest, match="the warehouse's id and name"):
        adapter.check_request(
            request_for(adapter, pickup=dataclasses.replace(pickup, reference="WH1"))
        )


def test_the_older_login_has_one_token_and_is_not_repeated_after_a_refusal(
    sandbox: SandboxProcess,
) -> None:
    before = sandbox.state()["calls"].get("auth", 0)
    adapter = adapter_of(account_at(sandbox.url, **OLDER))
    assert adapter.check_login()
    adapter.create_shipment(registered(adapter))
    CourierFactory.clear_adapters()
    other = adapter_of(CourierAccount.objects.get(pk=adapter.account.pk))
    assert sandbox.state()["calls"]["auth"] == before + 2  # the check's own, and one for all
    sandbox.post("/_sandbox/revoke-token", {})
    with pytest.raises(TokenRefused):
        other.check_serviceability("110001", origin="560034")
    assert sandbox.state()["calls"]["auth"] == before + 2


def test_a_wrong_login_is_tried_once_and_a_wrong_key_is_refused(sandbox: SandboxProcess) -> None:
    wrong = adapter_of(account_at(sandbox.url, username="+919876543210", password="wrong"))
    before = sandbox.state()["calls"].get("auth", 0)
    for _ in range(6):
        with pytest.raises((CredentialsRefused, NotSent)):
            wrong.track_shipment("341234560000001")
    assert sandbox.state()["calls"]["auth"] == before + 1
    sandbox.post("/_sandbox/unlock", {})
    key = adapter_of(account_at(sandbox.url, api_key="other-environments"))
    with pytest.raises(CredentialsRefused):
        key.create_shipment(request_for(key))
    with pytest.raises(CredentialsRefused):
        key.check_login()


def test_the_scheme_of_the_key_is_a_setting(sandbox: SandboxProcess, settings: Any) -> None:
    sandbox.set_switches(key_scheme="raw")
    assert adapter_of(account_at(sandbox.url)).check_login()
    sandbox.set_switches(key_scheme="bearer")
    couriers = {"velocity": {"KEY_SCHEME": "Bearer"}}
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": couriers}
    assert adapter_of(account_at(sandbox.url)).check_login()
