"""Scans with a type and a code: part of what makes them the same, and of what they mean."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.test import Client

from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import ReasonFacts, Status, StatusMapper
from couriers.contract.types import Scan, Tracking
from couriers.models import Shipment
from couriers.models.addresses import path_of
from couriers.operations.erasure import erase_locked
from couriers.tracking.events import apply_events, apply_tracking
from couriers.tracking.scan_rows import UNKNOWN_STATUSES
from tests.support.factories import ShipmentFactory
from tests.support.toy import ToyAdapter, ToyReceiver

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 2, 5, tzinfo=dt.UTC)
# As Delhivery's: the word alone does not say whether the parcel was delivered.
CODES = StatusMapper(
    {
        ("", "UD", "In Transit"): Status.IN_TRANSIT,
        ("", "UD", "In Transit", "DLY*"): Status.DELAYED,
        ("", "DL", "Delivered"): Status.DELIVERED,
        ("", "DL", "RTO"): Status.RTO_DELIVERED,
        ("", "UD", "Pending"): Status.UNDELIVERED,
        ("reverse", "UD", "Pending"): Status.NOT_PICKED,
        ("reverse", "", "Received"): Status.DELIVERED,
    },
    {"EOD-6": ReasonFacts("refused")},
)


class CodedToyAdapter(ToyAdapter):
    mapper = CODES


@pytest.fixture
def shipment(account: Any) -> Shipment:
    """A booked shipment of a courier whose statuses have a type and a code."""
    CourierFactory.register(CodedToyAdapter, ToyReceiver())
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


def scan(word: str, kind: str = "", code: str = "", *, hour: int = 0, reason: str = "") -> Scan:
    mapped = CODES.map(word, kind=kind, code=code, reason=reason)
    return Scan(mapped, AT + dt.timedelta(hours=hour), "PUNE", "at the hub")


def apply(shipment: Shipment, *found: Scan) -> Shipment:
    events = [CourierEvent(Topic.TRACK_UPDATED, shipment.tracking_id, scan=one) for one in found]
    apply_events(shipment.account, events)
    shipment.refresh_from_db()
    return shipment


def stored(shipment: Shipment) -> list[tuple[str, str, str, str]]:
    columns = ("courier_type", "courier_status", "courier_code", "status")
    return list(shipment.scans.order_by(*columns).values_list(*columns))


def test_scans_of_one_moment_and_word_differ_by_type_and_code(shipment: Shipment) -> None:
    found = [
        scan("In Transit", "UD", "X-PIOM"),
        scan("In Transit", "UD", "DLYDC-101"),
        scan("In Transit", "RT", "X-PIOM"),
    ]
    for one in (*found, *found):
        apply(shipment, one)
    assert stored(shipment) == [
        ("RT", "In Transit", "X-PIOM", ""),
        ("UD", "In Transit", "DLYDC-101", "delayed"),
        ("UD", "In Transit", "X-PIOM", "in_transit"),
    ]
    assert shipment.status == "delayed"


def test_copies_of_a_scan_with_a_code_are_merged_in_any_order(account: Any) -> None:
    CourierFactory.register(CodedToyAdapter, ToyReceiver())
    warehouse = account.company.warehouses.get()
    known = scan("Pending", "UD", "EOD-6", reason="EOD-6")
    bare = scan("Pending", "UD", "EOD-6")
    other = scan("Pending", "UD", "EOD-11", reason="EOD-11")
    ends = set()
    for order in itertools.permutations([known, bare, other]):
        shipment = ShipmentFactory(account=account, warehouse=warehouse)
        apply(shipment, *order[:2])
        apply(shipment, *order[2:])
        ends.add(
            (
                shipment.status,
                shipment.ndr_reason,
                *shipment.scans.order_by("courier_code").values_list("courier_code", "ndr_reason"),
            )
        )
    assert ends == {("undelivered", "EOD-6", ("EOD-11", "EOD-11"), ("EOD-6", "EOD-6"))}


def test_a_callback_and_a_poll_of_one_scan_are_stored_once(shipment: Shipment) -> None:
    one = scan("Delivered", "DL", "EOD-38")
    apply(shipment, one)
    apply_tracking(shipment, Tracking(shipment.tracking_id, (one,)))
    assert stored(shipment) == [("DL", "Delivered", "EOD-38", "delivered")]


def test_a_word_is_not_taken_for_another_types(shipment: Shipment) -> None:
    assert apply(shipment, scan("RTO", "DL")).status == "rto_delivered"


@pytest.mark.parametrize("door", ["callback", "poll"])
def test_the_shipments_direction_decides_what_a_status_means(
    account: Any, shipment: Shipment, door: str
) -> None:
    warehouse = account.company.warehouses.get()
    back = ShipmentFactory(account=account, warehouse=warehouse, direction="reverse")
    for one in (shipment, back):
        if door == "callback":
            apply(one, scan("Pending", "UD"))
        else:
            apply_tracking(one, Tracking(one.tracking_id, (scan("Pending", "UD"),)))
            one.refresh_from_db()
    assert (shipment.status, back.status) == ("undelivered", "not_picked")


def test_a_word_of_returns_alone_is_unknown_for_a_forward_shipment(
    account: Any, shipment: Shipment
) -> None:
    warehouse = account.company.warehouses.get()
    back = ShipmentFactory(account=account, warehouse=warehouse, direction="reverse")
    counter = UNKNOWN_STATUSES.labels("toy")
    before = counter._value.get()
    assert apply(back, scan("Received", "UD")).status == "delivered"
    assert counter._value.get() == before
    assert apply(shipment, scan("Received", "UD")).status == "booked"
    assert counter._value.get() == before + 1


def test_an_unknown_reason_is_counted_once_and_changes_nothing(shipment: Shipment) -> None:
    counter = UNKNOWN_STATUSES.labels("toy")
    before = counter._value.get()
    for _ in range(2):
        apply(shipment, scan("Pending", "UD", "EOD-6", reason="EOD-6"))
    assert counter._value.get() == before
    for _ in range(2):
        apply(shipment, *[scan("Pending", "UD", "EOD-999", hour=1, reason="EOD-999")] * 2)
    assert counter._value.get() == before + 1
    assert (shipment.status, shipment.ndr_reason) == ("undelivered", "EOD-999")


def test_a_type_and_a_code_are_masked_and_cut_as_other_words_are(shipment: Shipment) -> None:
    apply(shipment, scan("Pending", "t" * 40, "Call 9845012345 " + "c" * 60))
    found = shipment.scans.get()
    assert found.courier_type == "t" * 30
    assert found.courier_code == ("Call ••• " + "c" * 60)[:50]


def test_erasure_keeps_the_codes_of_known_statuses_and_the_scans_are_found_again(
    shipment: Shipment,
) -> None:
    known = [scan("In Transit", "UD", "X-PIOM"), scan("In Transit", "UD", "X-ILL1F")]
    apply(shipment, *known, scan("With Meera", "Gate 7", "ring"))
    erase_locked([shipment.pk])
    left = [
        ("", "", "", ""),
        ("UD", "In Transit", "X-ILL1F", "in_transit"),
        ("UD", "In Transit", "X-PIOM", "in_transit"),
    ]
    assert stored(shipment) == left
    shipment.refresh_from_db()
    apply(shipment, *known, scan("With Meera", "Gate 7", "ring"))
    assert stored(shipment) == left


def test_the_api_answers_the_type_and_the_code(shipment: Shipment, storefront: Client) -> None:
    apply(shipment, scan("In Transit", "UD", "DLYDC-101"))
    (found,) = storefront.get(f"/api/v1/shipments/{shipment.pk}/scans/").json()
    shown = ("status", "courier_type", "courier_status", "courier_code")
    assert [found[name] for name in shown] == ["delayed", "UD", "In Transit", "DLYDC-101"]


def test_the_tracking_page_shows_a_step_once_whatever_codes_it_came_under(
    shipment: Shipment,
) -> None:
    apply(shipment, scan("In Transit", "UD", "X-PIOM"), scan("In Transit", "UD", "X-ILL1F"))
    apply(shipment, scan("In Transit", "UD", "X-PIOM", hour=3))
    page = Client().get(path_of("couriers_tracking:page", shipment.pk)).content.decode()
    assert page.count("<li><strong>On its way</strong>") == 1
    assert "X-PIOM" not in page
