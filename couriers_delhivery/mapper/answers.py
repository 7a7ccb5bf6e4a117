"""Read Delhivery's other answers into neutral dataclasses, tolerantly. Pure.

An answer that cannot be read raises Unknown, because Delhivery may have done the work.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from couriers.contract import errors, reading
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.documents import PDF_OR_PICTURE, DocumentLink
from couriers.contract.errors import CourierError, PerhapsBooked
from couriers.contract.money import to_paisa
from couriers.contract.payloads import given
from couriers.contract.reading import Answer, Flag, Identifier, OrDefault, Remark, Rupees, Text
from couriers.contract.serviceability import served
from couriers.contract.types import Booking, RateQuote, Serviceability, ShipmentRequest
from couriers.contract.words import meaning_of, says

READER = reading.Reader("delhivery")
CREATE = "create_shipment"
# The frame of every reason of a failed package.
_FRAME = re.compile(r".*?due to exception\s*(.*?)\s*(?:package might have been.*)?", re.I | re.S)
# These leave it open whether anything was saved, also without a package.
_OPEN = ("might", "internal error", "end_date")
_RECHARGE = "the prepaid wallet at Delhivery is too low: recharge it"
# What to do, by a part of Delhivery's words in lower case.
REMEDIES = {
    "end_date": "the key is of Delhivery's other environment (test or live), or the warehouse's"
    " name is not exactly the registered one: check the account's key and address",
    "balance": _RECHARGE,
    "wallet": _RECHARGE,
    "prepaid:": _RECHARGE,
    "client-warehouse is not active": "the warehouse is switched off: ask Delhivery to activate it",
    "client is not active": "Delhivery has switched the account off: ask Delhivery",
    "serviceable": "Delhivery does not serve this pincode or payment mode now",
    "suspicious": "Delhivery takes the name or the phone for an invented one",
    "capacity": "the pincode's capacity of today is used up: book after midnight",
    "duplicate order": "Delhivery has a shipment of this order with the same goods, amount and"
    " name: book under another order number",
}


class Package(Answer):
    waybill: OrDefault[Identifier] = ""
    refnum: OrDefault[Identifier] = ""
    status: OrDefault[Text] = ""
    remarks: OrDefault[Remark] = ""


class CreateAnswer(Answer):
    """/api/cmu/create.json, which is HTTP 200 in every case.

    Only a package of our order with `status` Success and a waybill is booked. A request that is
    refused as a whole has no packages, and nothing was saved; else `rmk` is worth nothing. A
    package that failed "might have been partially saved", whatever the reason, so its order is
    searched for before it is given up or sent again.
    """

    success: OrDefault[Flag] = False
    packages: OrDefault[list[Package] | None] = None
    rmk: OrDefault[Remark] = ""


def booking_from(body: object, request: ShipmentRequest, boxes: int) -> Booking:
    """Return the booking of the request's order, which has so many boxes.

    Raises UnknownPickupAlias or Rejected for a request that was refused as a whole, OrderTaken
    where tracking may show the booking, PerhapsBooked for all else that is not a plain success.
    """
    answer = READER.parse(CreateAnswer, body, CREATE)
    if not answer.packages:
        raise _refusal(answer)
    mine = [one for one in answer.packages if one.refnum == request.order_number]
    numbers = [one.waybill for one in mine if one.status.casefold() == "success" and one.waybill]
    if failed := [one for one in mine if one.waybill not in numbers]:
        raise _failure(failed[0].remarks)
    if not answer.success or len(mine) != boxes:
        raise _error(PerhapsBooked, answer.rmk, "the answer contradicts itself")
    number = request.reserved_id if request.reserved_id in numbers else numbers[0]
    order = request.order_number
    return Booking(number, number, order_number=order, courier_status="Manifested")


def _refusal(answer: CreateAnswer) -> CourierError:
    words = answer.rmk
    if answer.success or answer.packages is None or not words or says(words, *_OPEN):
        return _error(PerhapsBooked, words, "Delhivery may have saved it")
    if says(words, "clientwarehouse matching query does not exist"):
        return _error(errors.UnknownPickupAlias, words, "the warehouse is not registered")
    return _error(errors.Rejected, words)


def _failure(remarks: str) -> CourierError:
    framed = _FRAME.fullmatch(remarks)
    reason = (framed[1] if framed else "").strip(" .'\"") or remarks
    if says(reason, "duplicate waybill", "wbn:", "consume waybill"):
        return _error(errors.NumberTaken, reason)
    return _error(errors.OrderTaken if says(reason, "duplicate order") else PerhapsBooked, reason)


def _error(kind: type[CourierError], words: str, otherwise: str = "refused") -> CourierError:
    """Return the error with what to do about the words, or what else is said of them."""
    return READER.error(kind, CREATE, meaning_of(words, REMEDIES, otherwise), words)


def numbers_in(body: bytes) -> Any:
    """Decode an answer with reserved numbers: {"numbers": […]}, or {"message": words}.

    It is a JSON string, with one number or several with commas between. Raises ValueError.
    """
    answer = json.loads(body)
    numbers = [one.strip() for one in str(answer).split(",")]
    if all(one.isascii() and one.isdigit() for one in numbers):
        # A shorter one is the answer of an account without numbers.
        return {"numbers": [one for one in numbers if 10 <= len(one) <= 20]}
    return answer if isinstance(answer, dict) else {"message": str(answer)}


class Done(reading.StatusAnswer):
    """An answer that says whether it is done, also with HTTP 200, and as XML."""

    status: Flag = reading.named("status", "success")
    remark: OrDefault[Remark] = reading.named("error", "message", "msg", "remark", default="")
    waybill: OrDefault[Text] = ""
    data: OrDefault[dict[str, Any]] = {}


def days_from(body: Any) -> tuple[int, int]:
    """Return the days of a lane (/api/dc/expected_tat). Raises Rejected where it is not served."""
    days = READER.parse_accepted(Done, body, "transit").data.get("tat")
    if not isinstance(days, int) or not 0 <= days <= 365:
        raise READER.unreadable("transit", "tat")
    return days, days


class Pickup(Answer):
    """/fm/request/new/; day and time may differ from those that were asked for."""

    pickup_id: reading.RequiredId
    incoming_center_name: OrDefault[Text] = ""
    pickup_date: OrDefault[Text] = ""
    pickup_time: OrDefault[Text] = ""

    def result(self) -> ActionResult:
        return ActionResult(remark=" ".join(filter(None, self.model_dump().values())))


class Queued(Answer):
    """/api/p/update: nothing is done yet."""

    request_id: reading.RequiredId = Field(max_length=80)
    message: OrDefault[Remark] = ""


class Line(Answer):
    waybill: Text = ""
    message: OrDefault[Remark] = ""


class QueuedOutcome(Answer):
    """/api/cmu/get_bulk_upl/{request_id}; its own `status` says nothing of one waybill."""

    request_id: reading.RequiredId
    done: list[Line] = Field(default=[], alias="success_wbns")
    failed: list[Line] = Field(default=[], alias="failed_wbns")


def outcome_from(body: Any, waybill: str, handle: str) -> ActionResult:
    """Return how an accepted action ended for a waybill. Raises Rejected."""
    answer = READER.parse(QueuedOutcome, body, "ndr_outcome")
    if any(line.waybill == waybill for line in answer.done):
        return ActionResult()
    words = next((line.message for line in answer.failed if line.waybill == waybill), None)
    if words is None or says(words, "being performed"):
        return ActionResult(ActionState.ACCEPTED, handle=handle)
    raise READER.rejection("ndr_outcome", words)


class Label(Answer):
    """A package of /api/p/packing_slip; there is none for an unknown waybill."""

    url: OrDefault[Text] = Field(default="", alias="pdf_download_link")


class Proof(Answer):
    """/api/rest/fetch/pkg/document/."""

    links: dict[str, list[Text]] = Field(alias="data")


def label_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a label, which ends after a day. Raises NotFound."""
    packages = READER.parse_list(Label, body, "label", field="packages")
    return READER.link("label", [one.url for one in packages], f"label-{waybill}.pdf")


def proof_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a proof of delivery, which ends after seven days. Raises NotFound."""
    links = READER.parse(Proof, body, "document").links.get("EPOD", [])
    return READER.link("document", links, f"proof-{waybill}", PDF_OR_PICTURE)


class Charges(Answer):
    """/api/kinko/v1/invoice/charges/.json, in rupees; `total` has the tax in it."""

    total: Rupees = Field(alias="total_amount")
    gross: OrDefault[Rupees | None] = Field(default=None, alias="gross_amount")
    zone: OrDefault[Text] = ""
    weight_g: reading.Grams = Field(default=None, alias="charged_weight")


# Only a parcel that goes back to its origin costs the last one.
_PARTS = {
    "shipping": ("charge_DL", "charge_DTO"), "cod": ("charge_COD",),
    "fuel": ("charge_FSC", "charge_DPH"), "rto": ("charge_RTO",),
}  # fmt: skip


def quote_from(body: Any, service: str) -> RateQuote:
    """Return a price in rupees. Raises Rejected for a price of 0, which the test server answers."""
    rows = READER.parse_list(Charges, body, "charges")
    if not rows or rows[0].total <= 0:
        raise READER.rejection("charges", "the price is 0", "Delhivery gives no price")
    found, parts = rows[0], reading.amounts_in(body[0], _PARTS)
    if found.gross is not None:
        parts |= given(tax=to_paisa(found.total - found.gross))
    total = to_paisa(found.total)
    return RateQuote(service, total, parts, found.zone, billed_weight_g=found.weight_g)


class Pincode(Answer):
    """/c/api/pin-codes/json/."""

    wrapped_in = "postal_code"
    pin: Text
    prepaid: OrDefault[Flag] = Field(default=False, alias="pre_paid")
    cod: OrDefault[Flag] = False
    pickup: OrDefault[Flag] = False
    remarks: OrDefault[Remark] = ""
    city: OrDefault[Text] = ""
    state_code: OrDefault[Text] = ""
    max_amount: OrDefault[Rupees | None] = None


def pincodes_from(body: Any) -> Iterator[Serviceability]:
    """Yield what Delhivery offers. `pickup` is both the first mile and returns."""
    for one in READER.parse_list(Pincode, body, "pincodes", field="delivery_codes"):
        is_open = not says(one.remarks, "embargo")
        yield served(
            one.pin,
            prepaid=is_open and one.prepaid,
            cod=is_open and one.cod,
            pickup=is_open and one.pickup,
            reverse=is_open and one.pickup,
            max_cod_amount=one.max_amount if one.max_amount and one.max_amount > 0 else None,
            city=one.city,
            state=one.state_code,
            remark=one.remarks,
        )
