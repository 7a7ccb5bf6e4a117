"""Read the answer to a create call, which is HTTP 200 in every case. Pure.

Only a package of our order with `status` Success and a waybill is booked. A request that is refused
as a whole has no packages, and nothing was saved. A package that failed "might have been partially
saved", whatever the reason, so its order is searched for before it is given up or sent again.
"""

import re

from couriers.contract.errors import CourierError, PerhapsBooked, Rejected, UnknownPickupAlias
from couriers.contract.reading import Answer, Flag, Identifier, OrDefault, Reader, Remark, Text
from couriers.contract.types import Booking, ShipmentRequest
from couriers.contract.words import clean_message

READER = Reader("delhivery")
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


class LookUp(PerhapsBooked):
    """Delhivery may have the order already: its tracking tells, by number or by order."""

    by_number = False


class Package(Answer):
    waybill: OrDefault[Identifier] = ""
    refnum: OrDefault[Identifier] = ""
    status: OrDefault[Text] = ""
    remarks: OrDefault[Remark] = ""


class CreateAnswer(Answer):
    """/api/cmu/create.json; `rmk` is worth nothing where there are packages."""

    success: OrDefault[Flag] = False
    packages: OrDefault[list[Package] | None] = None
    rmk: OrDefault[Remark] = ""


def booking_from(body: object, request: ShipmentRequest, boxes: int) -> Booking:
    """Return the booking of the request's order, which has so many boxes.

    Raises UnknownPickupAlias or Rejected for a request that was refused as a whole, LookUp where
    tracking may show the booking, PerhapsBooked for everything else that is not a plain success.
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
    return booking_of(number, request.order_number, "Manifested")


def booking_of(waybill: str, order_number: str, status: str) -> Booking:
    """Return a booking, whose tracking id is its waybill."""
    return Booking(waybill, waybill=waybill, order_number=order_number, courier_status=status)


def remedy_for(words: str) -> str:
    """Return what to do about Delhivery's words, "" where nothing is known."""
    return next((remedy for part, remedy in REMEDIES.items() if part in words.casefold()), "")


def _refusal(answer: CreateAnswer) -> CourierError:
    words = answer.rmk.casefold()
    if answer.success or answer.packages is None or not words or any(one in words for one in _OPEN):
        return _error(PerhapsBooked, answer.rmk, remedy_for(words) or "Delhivery may have saved it")
    if "clientwarehouse matching query does not exist" in words:
        return _error(UnknownPickupAlias, answer.rmk, "the warehouse is not registered")
    return _error(Rejected, answer.rmk, remedy_for(words) or "refused")


def _failure(remarks: str) -> CourierError:
    framed = _FRAME.fullmatch(remarks)
    reason = (framed[1] if framed else "").strip(" .'\"") or remarks
    words = reason.casefold()
    by_number = any(one in words for one in ("duplicate waybill", "wbn:", "consume waybill"))
    if not by_number and "duplicate order" not in words:
        return _error(PerhapsBooked, reason, remedy_for(words) or "refused")
    doubt = _error(LookUp, reason, remedy_for(words) or "refused")
    doubt.by_number = by_number  # type: ignore[attr-defined]
    return doubt


def _error(kind: type[CourierError], words: str, message: str) -> CourierError:
    courier_words = clean_message(words)
    return kind(message, courier="delhivery", operation=CREATE, courier_message=courier_words)
