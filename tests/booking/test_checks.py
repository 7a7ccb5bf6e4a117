"""What is likely wrong with an order: it is booked with warnings. And pincodes nobody knows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking.answers import shipment_data
from couriers.booking.bulk_jobs import book_due_orders
from couriers.booking.drafts import clean_draft
from couriers.booking.preparation import prepare
from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, NotFound, NotSent, Unknown
from couriers.contract.types import Direction, Serviceability, ShipmentDraft
from couriers.models import ServiceablePincode, Shipment
from couriers.tasks import run_bulk
from tests.support.api import job_orders
from tests.support.drafts import DRAFT, raising
from tests.support.toy import ToyAdapter

ITEM = dataclasses.replace(DRAFT.items[0], gst_rate=Decimal(5))
CONSIGNEE = dataclasses.replace(DRAFT.consignee, phone="98450 12345")
PLAIN = dataclasses.replace(DRAFT, items=(ITEM,), consignee=CONSIGNEE)
UNLISTED = "400062"  # Mumbai, but the directory lacks it
UNASSIGNED = "150001"  # no state has the prefix
ARMY = "900056"


def with_consignee(**changes: str) -> ShipmentDraft:
    return dataclasses.replace(PLAIN, consignee=dataclasses.replace(CONSIGNEE, **changes))


def with_item(**changes: Any) -> ShipmentDraft:
    return dataclasses.replace(PLAIN, items=(dataclasses.replace(ITEM, **changes),))


def codes(draft: ShipmentDraft) -> list[tuple[str, str]]:
    return [(warning.field, warning.code) for warning in draft.warnings]


def test_an_order_without_anything_odd_has_no_warnings() -> None:
    assert clean_draft(PLAIN).warnings == ()


@pytest.mark.parametrize(
    ("draft", "field", "code"),
    [
        (with_consignee(phone="080-23456789"), "consignee.phone", "phone_landline"),
        (with_consignee(phone="9999999999"), "consignee.phone", "phone_invented"),
        (with_consignee(phone="9845012345 x 12"), "consignee.phone", "phone_extension"),
        (with_consignee(phone="9845012345/9845012346"), "consignee.phone", "phone_several"),
        (with_consignee(state="AP", pincode="500001"), "consignee.state", "state_differs"),
        (with_consignee(state="J&K", pincode="194101"), "consignee.state", "state_differs"),
        (with_consignee(state="TN", pincode="605001"), "consignee.state", "state_differs"),
        (with_consignee(state="Delhi NCR", pincode="110001"), "consignee.state",
         "state_is_a_region"),
        (with_item(gst_rate=Decimal(12)), "items[0].gst_rate", "gst_rate_withdrawn"),
        (with_item(gst_rate=Decimal(6)), "items[0].gst_rate", "gst_rate_of_other_goods"),
        (with_item(hsn_code="996812"), "items[0].hsn_code", "hsn_is_a_service"),
        (dataclasses.replace(PLAIN, order_date=dt.date(2024, 1, 2)), "order_date",
         "order_date_old"),
        (dataclasses.replace(PLAIN, invoice_date=dt.date(2099, 1, 2)), "invoice_date",
         "invoice_date_in_future"),
    ],
)  # fmt: skip
def test_what_is_likely_wrong_becomes_a_warning_of_its_field(
    draft: ShipmentDraft, field: str, code: str
) -> None:
    cleaned = clean_draft(draft)
    assert codes(cleaned) == [(field, code)]
    assert clean_draft(cleaned).warnings == cleaned.warnings


def test_a_return_keeps_the_address_the_codes_and_the_rate_of_its_order() -> None:
    item = dataclasses.replace(ITEM, hsn_code="123", gst_rate=Decimal(28))
    draft = dataclasses.replace(
        with_consignee(state="Kerala"), items=(item,), direction=Direction.REVERSE
    )
    assert codes(clean_draft(draft)) == [
        ("consignee.state", "state_differs"), ("items[0].hsn_code", "hsn_unknown"),
    ]  # fmt: skip
    with pytest.raises(InvalidRequest) as caught:
        clean_draft(dataclasses.replace(draft, direction=Direction.FORWARD))
    assert {p.field for p in caught.value.problems} == {"consignee.state", "items[0].hsn_code"}


@pytest.mark.django_db(transaction=True)
def test_warnings_are_stored_answered_and_replayed_byte_for_byte(
    account: Any,
) -> None:
    company = account.company
    draft = dataclasses.replace(with_consignee(phone="080-23456789"), items=DRAFT.items)
    first = book(company, draft)
    answered = json.loads(first.body)["warnings"]
    assert [(w["field"], w["code"]) for w in answered] == [
        ("consignee.phone", "phone_landline"), ("items[0].gst_rate", "gst_rate_withdrawn"),
    ]  # fmt: skip
    assert all(list(warning) == ["field", "code", "message"] for warning in answered)
    stored = Shipment.objects.get(pk=first.shipment.pk)
    assert shipment_data(stored)["warnings"] == answered

    again = book(company, draft)
    assert again.replayed
    assert again.body == first.body
    assert not any("8023456789" in warning["message"] for warning in answered)


@pytest.mark.django_db(transaction=True)
def test_the_result_of_a_bulk_order_has_its_warnings(
    storefront: Client, account: Any, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_bulk, "apply_async", lambda *args, **options: None)
    order["consignee"]["phone"] = "080-23456789"
    bad = order | {"order_number": "A-2", "order_date": "1999-12-31"}
    answer = storefront.post(
        "/api/v1/shipments/bulk/", json.dumps({"orders": [order, bad]}), "application/json"
    )
    assert book_due_orders(answer.json()["id"], seconds=9) is None
    good, refused = job_orders(storefront, answer["Location"])
    assert good["outcome"] == "booked"
    assert [(w["field"], w["code"]) for w in good["warnings"]] == [
        ("consignee.phone", "phone_landline"), ("items[0].gst_rate", "gst_rate_withdrawn"),
    ]  # fmt: skip
    assert (refused["outcome"], refused["warnings"]) == ("rejected", [])


def prepared(account: Any, **consignee: str) -> tuple[str, str, list[str]]:
    """Return the city and state of the request, and the codes of the shipment's warnings."""
    found = prepare(account.company, clean_draft(with_consignee(**consignee)))
    place = found.request.consignee
    return place.city, place.state, [warning["code"] for warning in found.shipment.warnings]


def problems(account: Any, **consignee: str) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        prepared(account, **consignee)
    return {problem.field: problem.message for problem in caught.value.problems}


def newtown(pincode: str) -> Serviceability:
    return Serviceability(pincode, True, city="Newtown", state="mh")


def test_a_given_city_and_state_of_a_listed_pincode_are_kept_without_a_call(
    account: Any, able: Any
) -> None:
    given = {"city": "Poona", "state": "Maharashtra", "pincode": "411004"}
    assert prepared(account, **given) == ("Poona", "Maharashtra", [])
    assert prepared(account, city="Whitefield") == ("Whitefield", "Karnataka", [])
    assert able.asked == []


def test_blanks_of_an_unlisted_pincode_are_filled_from_one_answer_of_the_courier(
    account: Any, able: Any
) -> None:
    able.on_call["check_serviceability"] = newtown
    assert prepared(account, pincode=UNLISTED) == ("Newtown", "Maharashtra", [])
    assert able.asked == [("check_serviceability", UNLISTED)]
    assert prepared(account, pincode=UNLISTED, city="Pune") == ("Pune", "Maharashtra", [])


def test_a_courier_cannot_move_a_pincode_to_another_state(account: Any, able: Any) -> None:
    able.on_call["check_serviceability"] = lambda pincode: Serviceability(
        pincode, True, city="Kochi", state="Kerala"
    )
    assert set(problems(account, pincode=UNLISTED)) == {"consignee.city"}
    assert prepared(account, pincode=UNLISTED, city="Mumbai")[1] == "Maharashtra"


@pytest.mark.parametrize(
    "answer",
    [lambda pincode: Serviceability(pincode, True, state="Texas"), raising(Unknown("time-out"))],
)
def test_a_city_and_state_that_cannot_be_found_are_reported_as_missing(
    account: Any, able: Any, answer: Callable[[str], Any]
) -> None:
    able.on_call["check_serviceability"] = answer
    assert set(problems(account, pincode=ARMY)) == {"consignee.city", "consignee.state"}


@pytest.mark.parametrize("pincode", [UNLISTED, UNASSIGNED, ARMY])
@pytest.mark.parametrize(
    "answer", [lambda pincode: Serviceability(pincode, False), raising(NotFound("no such"))]
)
def test_a_pincode_that_no_directory_and_no_courier_knows_is_refused(
    account: Any, able: Any, pincode: str, answer: Callable[[str], Any]
) -> None:
    able.on_call["check_serviceability"] = answer
    state = "Kerala" if pincode != UNLISTED else "Maharashtra"
    assert "lacks it, too" in problems(account, pincode=pincode, city="X", state=state)[
        "consignee.pincode"
    ]  # fmt: skip


@pytest.mark.parametrize("pincode", [UNLISTED, UNASSIGNED, ARMY])
def test_a_pincode_that_the_courier_serves_is_good_without_a_directory(
    account: Any, able: Any, pincode: str
) -> None:
    place = {"pincode": pincode, "city": "X", "state": "Maharashtra"}
    assert prepared(account, **place) == ("X", "Maharashtra", [])


@pytest.mark.parametrize(
    ("pincode", "code"), [(UNLISTED, "pincode_unlisted"), (ARMY, "pincode_of_army_post")]
)
def test_an_unlisted_pincode_is_booked_with_a_warning_where_the_courier_does_not_answer(
    account: Any, able: Any, pincode: str, code: str
) -> None:
    able.on_call["check_serviceability"] = raising(NotSent("the circuit is open"))
    place = {"pincode": pincode, "city": "X", "state": "Maharashtra"}
    assert prepared(account, **place) == ("X", "Maharashtra", [code])


def test_without_an_answer_a_pincode_without_a_state_is_refused(account: Any) -> None:
    assert not ToyAdapter.capabilities & {"check_serviceability"}
    assert problems(account, pincode=UNASSIGNED, city="X", state="Goa") == {
        "consignee.pincode": "is no pincode: no state has its first three digits"
    }


def test_the_loaded_list_of_a_courier_answers_without_a_call(account: Any, able: Any) -> None:
    ServiceablePincode.objects.create(
        courier_id="toy", pincode=UNLISTED, serviceable=False, loaded_at=timezone.now()
    )
    place = {"pincode": UNLISTED, "city": "X", "state": "Maharashtra"}
    assert set(problems(account, **place)) == {"consignee.pincode"}
    assert able.asked == []


@pytest.mark.parametrize("place", [{}, {"city": "Yanam"}])
def test_the_state_of_a_pincode_in_two_states_is_asked_for(
    account: Any, able: Any, place: dict[str, str]
) -> None:
    able.on_call["check_serviceability"] = newtown
    assert problems(account, pincode="533464", **place) == {
        "consignee.state": "is missing: the pincode lies in Andhra Pradesh and in Puducherry,"
        " so give one of them"
    }
    assert prepared(account, pincode="533464", state="PY") == ("Yanam", "Puducherry", [])
    assert able.asked == []
