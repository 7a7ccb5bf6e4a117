"""Flags: rows about what an operator must look at."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from couriers.models import FlagKind, Shipment, ShipmentFlag
from couriers.models.flag import clear_flags, raise_flag
from couriers.operations.evidence import evidence_of
from couriers.operations.flags import sentence, sentence_of
from tests.support.factories import ShipmentFactory
from tests.support.flags import open_flags


@pytest.mark.parametrize("kind", FlagKind)
def test_every_kind_has_a_sentence(kind: FlagKind) -> None:
    text = sentence(kind, "T-9", "ORD-1")
    assert text.endswith(".")
    assert "{" not in text


@pytest.mark.django_db
def test_a_flag_is_raised_once_for_each_tracking_id(shipment: Shipment) -> None:
    for tracking_id in ("T-8", "T-9", "T-8"):
        raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id=tracking_id)
    raise_flag(shipment, FlagKind.LATE_SCANS)
    assert open_flags(shipment) == [
        ("second_shipment", "T-8"),
        ("second_shipment", "T-9"),
        ("late_scans", ""),
    ]


@pytest.mark.django_db
def test_a_cleared_flag_is_kept_with_its_reason_and_can_be_raised_again(
    shipment: Shipment,
) -> None:
    person = User.objects.create_user("ops")
    for tracking_id in ("T-8", "T-9"):
        raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id=tracking_id)
    count = clear_flags(
        [shipment],
        FlagKind.SECOND_SHIPMENT,
        tracking_id="T-8",
        reason="cancelled in the panel",
        cleared_by=person,
    )
    assert count == 1
    assert open_flags(shipment) == [("second_shipment", "T-9")]
    cleared = ShipmentFlag.objects.get(tracking_id="T-8")
    assert (cleared.cleared_by, cleared.clear_reason) == (person, "cancelled in the panel")
    assert cleared.cleared_at is not None
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-8")
    assert ShipmentFlag.objects.filter(tracking_id="T-8").count() == 2


@pytest.mark.django_db
def test_the_evidence_of_a_doubt_begins_with_its_open_flags(account: Any) -> None:
    doubtful = ShipmentFactory(
        account=account,
        warehouse=account.company.warehouses.get(),
        status="in_doubt",
        tracking_id="",
    )
    raise_flag(doubtful, FlagKind.POSSIBLE_CREATION, tracking_id="T-9", order_number="X-1")
    raise_flag(doubtful, FlagKind.LATE_SCANS)
    clear_flags([doubtful], FlagKind.LATE_SCANS, reason="seen")
    evidence = evidence_of(doubtful)
    assert evidence.flags == ["The courier created T-9 for X-1: perhaps this shipment."]
    assert evidence.suggestion.startswith(evidence.flags[0])


def test_an_operator_finds_flagged_shipments_and_their_sentences(
    admin_client: Client, shipment: Shipment
) -> None:
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    flag = ShipmentFlag.objects.get()
    listing = admin_client.get("/admin/shipcrowd_couriers/shipmentflag/?work=flags")
    assert shipment.order_number in listing.content.decode()
    page = admin_client.get(f"/admin/shipcrowd_couriers/shipment/{shipment.pk}/change/")
    text = page.content.decode()
    # Before the buttons and the facts of the page, and again with its time in the timeline.
    assert text.index(sentence_of(flag)) < text.index("What can be done now")
    assert text.index(sentence_of(flag)) < text.index("Tracking id<")
    assert text.count(sentence_of(flag)) == 2
    clear_flags([shipment], FlagKind.SECOND_SHIPMENT, reason="seen")
    listing = admin_client.get("/admin/shipcrowd_couriers/shipmentflag/?work=flags")
    assert shipment.order_number not in listing.content.decode()
