"""Returns: a reverse shipment of goods that were delivered, with a number of its own.

An order may have several returns, so the order number cannot name one: the merchant gives a
number or an Idempotency-Key, and a number that is left out is the order's with a counter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from couriers.booking.protocol import book
from couriers.booking.settling import BookingResult
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import NotReturnable, OrderAlreadyLive
from couriers.contract.statuses import Status
from couriers.contract.types import Address, Direction, Item, Parcel, PaymentMode, ShipmentDraft
from couriers.models import Company, IdempotencyKey, Shipment

# Two returns of one order that are asked for at once may reach for the same counter.
TRIES = 10


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """What a merchant asks to have fetched back.

    Empty `items` means all of the shipment's, `order_date` None today in India.
    """

    return_reason: str
    order_date: dt.date | None = None
    order_number: str = ""
    warehouse_id: str = ""
    items: tuple[Item, ...] = ()
    parcel: Parcel | None = None
    service: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def book_return(
    company: Company, original: Shipment, draft: ReturnDraft, *, key: str | None = None
) -> BookingResult:
    """Book a return of `original` once, as couriers.booking.protocol.book does and with its errors.

    Raises NotReturnable, and InvalidRequest where neither a number nor a key is given: without
    them, a request that is sent twice could not be told from a second return.
    """
    if key is None and not draft.order_number:
        raise InvalidRequest(
            [FieldProblem("order_number", "give one, or an Idempotency-Key, to name the return")]
        )
    known = _known(company, original, draft.order_number if key is None else key)
    if known is None and (
        original.direction != Direction.FORWARD or original.status != Status.DELIVERED
    ):
        raise NotReturnable(
            original.pk, original.get_direction_display(), original.get_status_display()
        )
    if draft.order_number == original.order_number:
        raise InvalidRequest([FieldProblem("order_number", "is the order's: a return has its own")])

    # Asked again tomorrow, it is still the return of today.
    date = draft.order_date or (known.order_date if known else india.today())

    def attempt(number: str) -> BookingResult:
        return book(company, _shipment_draft(original, draft, number, date), key=key)

    if draft.order_number:
        return attempt(draft.order_number)
    if known is not None:
        return attempt(known.order_number)
    return _with_counter(original, attempt)


def _with_counter(original: Shipment, attempt: Callable[[str], BookingResult]) -> BookingResult:
    first = original.returns.count() + 1
    for counter in range(first, first + TRIES):
        try:
            return attempt(f"{original.order_number}-R{counter}")
        except OrderAlreadyLive as error:
            taken = error
    raise taken


def _known(company: Company, original: Shipment, key: str) -> Shipment | None:
    """The return that the key stands for already."""
    found = (
        IdempotencyKey.objects.select_related("shipment")
        .filter(company=company, key=key, shipment__original=original)
        .first()
    )
    return found.shipment if found else None


def _shipment_draft(
    original: Shipment, draft: ReturnDraft, number: str, date: dt.date
) -> ShipmentDraft:
    return ShipmentDraft(
        courier=original.courier_id,
        order_number=number,
        order_date=date,
        payment_mode=PaymentMode.PREPAID,
        consignee=Address(
            name=original.consignee_name,
            phone=original.consignee_phone,
            address=original.consignee_address,
            city=original.consignee_city,
            state=original.consignee_state,
            pincode=original.consignee_pincode,
        ),
        items=draft.items or tuple(_item(item) for item in original.items),
        parcel=draft.parcel
        or Parcel(original.weight_g, original.length_cm, original.width_cm, original.height_cm),
        warehouse_id=draft.warehouse_id or original.warehouse_id,
        direction=Direction.REVERSE,
        original_id=original.pk,
        service=draft.service,
        return_reason=draft.return_reason,
        options=draft.options,
    )


def _item(stored: Mapping[str, Any]) -> Item:
    return Item(
        **{**stored, "value": Decimal(stored["value"]), "gst_rate": Decimal(stored["gst_rate"])}
    )
