"""Finding shipments: by each number, by phone in any notation, by name, several at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from couriers.models import Shipment, StaffScope
from couriers.operations.finding import MAX_FOUND, MAX_TERMS, find_shipments
from tests.support.factories import CourierAccountFactory
from tests.support.parcels import make_shipments


@pytest.fixture
def user(db: None) -> Any:
    return get_user_model().objects.create_user("finder", is_staff=True)


@pytest.fixture
def asha(account: Any) -> Shipment:
    """A shipment with a value in every column that it is found by."""
    shipment = Shipment.objects.get(pk=make_shipments(account, 1)[0])
    shipment.order_number, shipment.tracking_id = "ORD 7/1", "TRK-7"
    shipment.waybill, shipment.former_tracking_ids = "WB77", ["OLD-1", "OLD-2"]
    shipment.consignee_name, shipment.consignee_phone = "Asha Patil", "9876501234"
    shipment.save()
    return shipment


@pytest.mark.parametrize(
    "text",
    [
        "ORD 7/1", "  ORD  7/1 ", "ord 7/1", "TRK-7", "trk-7", "WB77", "OLD-2", "old-1",
        "9876501234", "+91 98765 01234", "09876501234", "+91-98765-01234", "98765 01234",
        "asha", "ASHA P", "Asha Patil", "Ash",
    ],
)  # fmt: skip
def test_a_shipment_is_found_by(user: Any, account: Any, asha: Shipment, text: str) -> None:
    make_shipments(account, 3, consignee_name="Ravi", consignee_phone="9876509999")
    found = find_shipments(user, text)
    assert (found.ids, found.missing, found.is_cut) == ((asha.pk,), (), False)


def test_it_is_found_by_its_own_id(user: Any, asha: Shipment) -> None:
    assert find_shipments(user, asha.pk.upper()).ids == (asha.pk,)


@pytest.mark.parametrize("text", ["RD 7/1", "TRK", "WB7", "OLD", "sha", "Patil", "As", "%sha", ""])
def test_no_part_of_a_number_or_of_a_name_finds_it(user: Any, asha: Shipment, text: str) -> None:
    found = find_shipments(user, text)
    assert found.ids == ()
    assert found.missing == ((text,) if text else ())


@pytest.mark.parametrize("separator", ["\n", "\r\n", ",", ", ", ";", "\t", " "])
def test_several_are_found_and_those_that_are_not_are_named(
    user: Any, account: Any, asha: Shipment, separator: str
) -> None:
    other = Shipment.objects.get(pk=make_shipments(account, 1)[0])
    text = separator.join(["TRK-7", "NOBODY-1", other.order_number, "9876501234", "NOBODY-2"])
    found = find_shipments(user, text)
    assert sorted(found.ids) == sorted([asha.pk, other.pk])
    assert found.missing == ("NOBODY-1", "NOBODY-2")
    assert found.has_phone


def test_two_shipments_of_one_phone_are_both_found(user: Any, account: Any) -> None:
    ids = make_shipments(account, 2)
    for one in Shipment.objects.all():
        one.consignee_phone = "9876501234"
        one.save()
    assert sorted(find_shipments(user, "9876501234").ids) == sorted(ids)


def test_a_user_finds_shipments_of_its_companies_alone(user: Any, asha: Shipment) -> None:
    scope = StaffScope.objects.create(user=user)
    scope.companies.add(CourierAccountFactory(courier=asha.courier).company)
    for text in ("TRK-7", "9876501234", "Asha", "WB77", "OLD-1"):
        assert find_shipments(user, text).missing == (text,)


def test_a_search_has_a_limited_number_of_terms(user: Any, asha: Shipment) -> None:
    terms = [f"N-{number}" for number in range(MAX_TERMS)]
    most = find_shipments(user, "\n".join(terms))
    assert len(most.missing) == MAX_TERMS
    over = find_shipments(user, "\n".join([*terms, "TRK-7"]))
    assert over.too_many
    assert over.ids == ()


def test_the_shipments_of_a_search_are_limited(user: Any, account: Any) -> None:
    make_shipments(account, MAX_FOUND + 1)
    Shipment.objects.update(waybill="SAME", consignee_name="Common Name")
    for text in ("SAME", "common"):
        found = find_shipments(user, text)
        assert len(found.ids) == MAX_FOUND
        assert found.is_cut


def test_what_cannot_be_stored_is_searched_without_harm(user: Any, asha: Shipment) -> None:
    assert find_shipments(user, "TRK-7\0").ids == (asha.pk,)
