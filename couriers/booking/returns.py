"""Returns: reverse shipments of delivered goods, each with its own number.

An order can have several returns, so its order number does not identify one. The merchant gives a
number or an Idempotency-Key. Without a number, the return gets the order's number with a counter.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from couriers.booking.protocol import book
from couriers.booking.returned_goods import (
    ReturnedItem,
    goods_left,
    is_request_for,
    returned_goods,
)
from couriers.booking.settling import BookingResult
from couriers.booking.stored_drafts import address_of, items_of, parcel_of
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import NotReturnable, OrderAlreadyLive, ShipmentErased
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, Item, Parcel, PaymentMode, ShipmentDraft
from couriers.models import Company, Shipment
from couriers.models.idempotency import KeyScope

# Numbers that are tried, because another return of the order may take the same number meanwhile.
MAX_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """A merchant's request for a return.

    Without `items`, all comes back that is on no other return. Without `parcel`, the return has the
    size of the shipment. `order_date` None means today in India. `order_number` is the return's
    own. `courier` "" means the shipment's own, and AUTO the one that the company's rules choose.
    """

    return_reason: str
    order_date: dt.date | None = None
    order_number: str = ""
    warehouse_id: str = ""
    items: tuple[ReturnedItem, ...] = ()
    parcel: Parcel | None = None
    courier: str = ""
    service: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def book_return(
    company: Company, original: Shipment, draft: ReturnDraft, *, key: str | None = None
) -> BookingResult:
    """Book a return of `original` once, as couriers.booking.protocol.book does.

    Raises the errors of `book`, NotReturnable if `original` is no delivered forward shipment, and
    ShipmentErased if its consignee has been erased and no such return is under way.
    Raises InvalidRequest without a number and a key: a request that is sent twice would then look
    like a second return.
    """
    if key is None and not draft.order_number:
        raise InvalidRequest(
            [
                FieldProblem(
                    "order_number", "give one, or an Idempotency-Key, to identify the return"
                )
            ]
        )
    existing = _find_return(original, draft, key)
    if existing is None and (
        original.direction != Direction.FORWARD or original.status != Status.DELIVERED
    ):
        raise NotReturnable(
            original.pk, original.get_direction_display(), original.get_status_display()
        )
    if draft.order_number == original.order_number:
        raise InvalidRequest(
            [FieldProblem("order_number", "is the order's number: a return needs its own")]
        )

    # A repeated request gets its return's answer, also when the delivered shipment was erased.
    source = existing if existing is not None and original.erased_at else original
    if source.erased_at is not None:
        raise ShipmentErased(source.pk)

    # A request that is repeated on a later day must not differ from the first.
    date = draft.order_date or (existing.order_date if existing else india.today())

    items = _items(original, existing, draft)

    def book_as(number: str) -> BookingResult:
        made = _shipment_draft(original, source, draft, number, date)
        return book(
            company, dataclasses.replace(made, items=items), key=key, is_test=original.is_test
        )

    if draft.order_number:
        return book_as(draft.order_number)
    if existing is not None:
        return book_as(existing.order_number)
    return _book_with_next_number(original, book_as)


def _book_with_next_number(
    original: Shipment, book_as: Callable[[str], BookingResult]
) -> BookingResult:
    first = original.returns.count() + 1
    for counter in range(first, first + MAX_NUMBERS):
        try:
            return book_as(f"{original.order_number}-R{counter}")
        except OrderAlreadyLive as error:
            number_is_taken = error
    raise number_is_taken


def _find_return(original: Shipment, draft: ReturnDraft, key: str | None) -> Shipment | None:
    """Return the return of `original` that was booked by the key or the number, or None."""
    returns = original.returns.order_by("-id")
    if key is None:
        return returns.filter(order_number=draft.order_number).first()
    return returns.filter(keys__scope=KeyScope.CLIENT, keys__key=key).first()


def _items(original: Shipment, existing: Shipment | None, draft: ReturnDraft) -> tuple[Item, ...]:
    """Return the goods of a return. Raises InvalidRequest for more than has not come back.

    A repeated request has the goods of its first time, whatever other returns there are since.
    """
    if existing is None or existing.status == Status.FAILED:
        without = existing.pk if existing else ""
    elif not draft.items or is_request_for(items_of(existing), draft.items, items_of(original)):
        return items_of(existing)
    else:
        without = existing.pk
    if not draft.items:
        return goods_left(original, without=without)
    return returned_goods(original, draft.items, without=without)


def _shipment_draft(
    original: Shipment, source: Shipment, draft: ReturnDraft, number: str, date: dt.date
) -> ShipmentDraft:
    """Return the draft of a return without its goods.

    `source` has the address, and what the request leaves out.
    """
    return ShipmentDraft(
        courier=draft.courier or original.courier_id,
        order_number=number,
        order_date=date,
        payment_mode=PaymentMode.PREPAID,
        consignee=address_of(source),
        items=(),
        parcel=draft.parcel or parcel_of(source),
        warehouse_id=draft.warehouse_id or original.warehouse_id,
        direction=Direction.REVERSE,
        original_id=original.pk,
        service=draft.service,
        return_reason=draft.return_reason,
        options=draft.options,
    )
