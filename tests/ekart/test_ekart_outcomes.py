"""The class of each of Ekart's answers, and what is read in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotFound,
    Rejected,
    TokenRefused,
    TooManyRequests,
    Unknown,
    UnknownPickupAlias,
)
from couriers_ekart.mapper import answers, tracking
from tests.support.ekart import classify_answer, nothing_sent

pytestmark = pytest.mark.django_db


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


ALIAS = body(
    message="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
    description="main pickup_location does not exist or is deleted.",
)
NOT_FOUND = body(message="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION", description="No shipment.")
INVALID = body(message="SWIFT_VALIDATION_EXCEPTION", description="phone 9876543210 is wrong")


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, b"<html>", Unknown),
        (200, b'{"a": 1', Unknown),
        (204, b"", Unknown),
        (302, b"", Unknown),
        (400, b"{}", Rejected),
        (400, INVALID, Rejected),
        (401, b"{}", TokenRefused),
        (403, b"", CredentialsRefused),
        (404, ALIAS, UnknownPickupAlias),
        (404, NOT_FOUND, NotFound),
        (404, b"nginx", NotFound),
        (408, b"", Unknown),
        (409, b"{}", Rejected),
        (422, b"{}", Rejected),
        (429, b"", TooManyRequests),
        (500, b"{}", Unknown),
        (502, b"<html>", Unknown),
        (503, b"", Unknown),
        (504, b"", Unknown),
        (500, NOT_FOUND, NotFound),
        (503, ALIAS, UnknownPickupAlias),
        (500, INVALID, Rejected),
        (404, body(code="PATH_NOT_IMPLEMENTED"), Rejected),
    ],
)
def test_a_known_code_decides_before_the_status(
    status: int, answer: bytes, kind: type[CourierError]
) -> None:
    _, error = classify_answer(status, answer)
    assert type(error) is kind
    assert error.http_status == status
    assert "9876543210" not in str(error)


@pytest.mark.parametrize(
    "parse",
    [
        lambda remark: answers.booking_from({"status": False, **remark}),
        lambda remark: answers.ndr_from({"status": False, **remark}),
        lambda remark: answers.registration_from({"status": False, **remark}, "a"),
        lambda remark: answers.cancellation_from(
            {"data": [{"status": False, **remark}]}, "T1", None
        ),
        lambda remark: answers.label_data_from({"status": False, **remark}),
    ],
)
def test_a_refusal_with_http_200_has_no_phone_number_and_can_be_stored(parse: Any) -> None:
    words = {"remark": "Phone 98765 43210 is black\x00listed \ud83d", "tracking_id": "T1"}
    with pytest.raises(Rejected) as caught:
        parse(nothing_sent(words))
    assert str(caught.value).endswith("Phone ••• is blacklisted ?")


def test_the_messages_of_refused_ids_have_no_phone_number() -> None:
    data = [{"status": False, "remark": "9876543210 is out", "tracking_id": "T1"}]
    answer = nothing_sent({"data": data})
    assert answers.dispatch_refusals_from(answer, ["T1"]) == [("T1", "••• is out")]


def test_the_code_and_the_message_of_an_error_can_be_stored() -> None:
    answer = body(code="A\x00B", description="black\x00listed \ud83d")
    _, error = classify_answer(400, answer)
    assert error is not None
    assert (error.code, error.courier_message) == ("AB", "blacklisted ?")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": False, "remark": "Pincode not serviceable"}, Rejected),
        ({"status": True, "remark": "ok"}, Unknown),
        ({"status": True, "tracking_id": ""}, Unknown),
        ({"remark": "?"}, Unknown),
        ([], Unknown),
        ("x", Unknown),
    ],
)
def test_a_2xx_is_a_booking_only_with_status_and_tracking_id(
    answer: Any, kind: type[CourierError]
) -> None:
    with pytest.raises(CourierError) as caught:
        answers.booking_from(answer)
    assert type(caught.value) is kind


def test_answers_are_read_tolerantly() -> None:
    booking = answers.booking_from(
        {"status": "true", "tracking_id": 5001, "barcodes": {"wbn": 7}, "surprise": [1]}
    )
    assert (booking.tracking_id, booking.waybill) == ("5001", "7")
    found = tracking.tracking_from(
        {"_id": "1", "track": {"status": "In_Transit", "ctime": "1793400000000", "desc": None,
                               "attempts": "2"}}
    )  # fmt: skip
    assert (found.attempts, found.scans[0].mapped.status) == (2, "in_transit")
    quote = answers.quote_from({"shippingCharge": "46.00", "taxes": "8.28"}, "SURFACE")
    assert str(quote.total) == "54.28"
    for empty in ({}, {"total": "many"}):
        with pytest.raises(Unknown):
            answers.quote_from(empty, "SURFACE")
    with pytest.raises(Unknown, match=r"track\.ctime"):
        tracking.tracking_from({"track": {"status": "Delivered", "ctime": 1793400000}})
    with pytest.raises(Unknown):
        answers.cancellation_from(
            {"data": [{"status": True, "tracking_id": "other"}]}, "mine", None
        )
    with pytest.raises(Rejected) as caught:
        answers.registration_from({"status": False, "remark": "phone is wrong"}, "a")
    with pytest.raises(Rejected):
        answers.accept_already_registered(caught.value, "a")
    with pytest.raises(Rejected) as caught:
        answers.registration_from({"status": False, "remark": "Alias already exists"}, "a")
    assert answers.accept_already_registered(caught.value, "a").reference == "a"
