"""Velocity's answers, read tolerantly (couriers.contract.reading), as neutral dataclasses. Pure.

That an answer says yes was checked before. One that cannot be read is Unknown: it may be done.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from pydantic import AliasPath, Field

from couriers.contract import india
from couriers.contract.documents import BookingDocument, DocumentKind, DocumentLink
from couriers.contract.errors import OrderKept
from couriers.contract.money import to_paisa
from couriers.contract.reading import (
    Answer,
    Flag,
    Identifier,
    IndiaTime,
    OrDefault,
    Reader,
    RequiredId,
    Rupees,
    Text,
    at,
)
from couriers.contract.statuses import Status
from couriers.contract.types import Booking, Charges, RateQuote
from couriers.contract.words import meaning_of
from couriers_velocity.mapper.payloads import PER_PAGE
from couriers_velocity.mapper.statuses import VELOCITY_MAPPER

READER = Reader("velocity")
_RECHARGE = "the wallet does not cover it: recharge it in Velocity's panel and book again"
# What to do, by a part of Velocity's words in lower case.
REMEDIES = {"wallet": _RECHARGE, "insufficient balance": _RECHARGE}
Amount = OrDefault[Rupees | None]
Id = OrDefault[Identifier | None]
Name = OrDefault[Text | None]


class TokenAnswer(Answer):
    """/auth-token. The zone of `expires_at` is not known: the life is counted from the receipt."""

    token: str = Field(pattern=r"^[\x21-\x7e]+$")


class Made(Answer):
    """The answer to a create call. `awb_code` alone decides whether the order is booked."""

    awb_code: Identifier | None = at("payload", "awb_code")
    awb_generated: OrDefault[Flag | None] = at("payload", "awb_generated")
    order_id: Id = at("payload", "order_id")
    shipment_id: Id = at("payload", "shipment_id")
    courier_name: Name = at("payload", "courier_name")
    label_url: Name = at("payload", "label_url")
    weight_kg: OrDefault[Decimal | None] = at("payload", "applied_weight")
    shipping: Amount = at("payload", "charges", "frwd_charges", "shipping_charges")
    cod: Amount = at("payload", "charges", "frwd_charges", "cod_charges")
    rto: Amount = at("payload", "charges", "rto_charges", "rto_charges")
    reverse: Amount = at("payload", "charges", "reverse_charges")
    quality_check: Amount = at("payload", "charges", "qc")
    message: OrDefault[Text] = ""


def booking_from(made: Made, operation: str) -> Booking:
    """Return a booking, which is one if it has an AWB.

    Raises OrderKept where Velocity says that it made the order without one, and Unknown where it
    does not say whether there is one.
    """
    if not made.awb_code:
        if made.awb_generated is not False:
            raise READER.unknown(operation, "the answer does not say whether there is an AWB")
        raise kept(operation, made.shipment_id or made.order_id or "", made.message)
    link = DocumentLink(made.label_url or "", f"label-{made.awb_code}.pdf")
    return Booking(
        tracking_id=made.awb_code,
        waybill=made.awb_code,
        vendor=made.courier_name or "",
        courier_order_id=made.order_id or "",
        charges=_charges(made),
        documents=(BookingDocument(DocumentKind.LABEL, link),) if link.url else (),
    )


def kept(operation: str, number: str = "", words: str = "") -> OrderKept:
    """Return the error for an order that Velocity has, under this number of its, without an AWB."""
    known = f"no carrier took the order, which Velocity has{number and f' as {number}'}: "
    remedy = meaning_of(words, REMEDIES, "assign one in its panel, or cancel it there")
    return READER.error(OrderKept, operation, known + remedy, words)


def _charges(made: Made) -> Charges | None:
    """Return the price, None where no amount of it can be read. An RTO is charged only later."""
    shipping = made.shipping if made.reverse is None else made.reverse
    parts = _given(shipping=shipping, cod=made.cod, quality_check=made.quality_check)
    if not parts:
        return None
    total = to_paisa(sum(parts.values(), Decimal(0)))
    weight = None if made.weight_kg is None else _whole(made.weight_kg * 1000)
    return Charges(total, parts | _given(rto=made.rto), billed_weight_g=weight)


class FoundOrder(Answer):
    external_id: Id = at("attributes", "order", "external_id")
    display_id: Id = at("attributes", "order", "display_id")
    awb: Identifier | None = at("attributes", "tracking_number")
    status: Name = at("attributes", "status")
    carrier: Name = at("attributes", "carrier", "name")

    @property
    def was_cancelled(self) -> bool:
        """Whether it was cancelled, with a carrier or without."""
        return VELOCITY_MAPPER.map(self.status or "").status is Status.CANCELLED


class Found(Answer):
    """/shipments and /returns: a search in the full text, which finds much else."""

    data: list[FoundOrder]

    def order(self, order_number: str, operation: str) -> FoundOrder | None:
        """Return the order of exactly this number, None if there is none.

        Of several it is one that goes on, and one with an AWB. Raises Unknown if there are so many
        others that it may be missing among them.
        """
        own = [one for one in self.data if order_number in (one.external_id, one.display_id)]
        if not own and len(self.data) >= PER_PAGE:
            raise READER.unknown(operation, "the search found too many other orders")
        return max(own, key=lambda one: (not one.was_cancelled, bool(one.awb)), default=None)


class QuotedCarrier(Answer):
    carrier_id: Id = None
    shipping: Amount = at("charges", "forward_freight_charges")
    cod: Amount = at("charges", "cod_charges")
    rto: Amount = at("charges", "rto_charges")
    forward_total: Amount = at("charges", "total_forward_charges")
    return_total: Amount = at("charges", "total_return_charges")
    platform_fee: Amount = None
    arrives: OrDefault[IndiaTime | None] = at("expected_delivery", "delivery", "datetime")


class Rates(Answer):
    """/rates."""

    carriers: list[QuotedCarrier] = Field(
        validation_alias=AliasPath("result", "serviceable_couriers")
    )
    zone: Name = at("result", "shipment_details", "zone")
    weight_g: OrDefault[Decimal | None] = at("result", "shipment_details", "applicable_weight")

    def quotes(self, today: dt.date, service: str = "") -> list[RateQuote]:
        """Return a quote in rupees for each carrier with a price, whose id is the service.

        `service` asks for one of them. The days are counted from `today`, the date in India.
        """
        quotes = [self._quote(one, today) for one in self.carriers if one.carrier_id]
        return [q for q in quotes if q and service in ("", q.service)]

    def _quote(self, one: QuotedCarrier, today: dt.date) -> RateQuote | None:
        """Return a quote. Whether the platform's fee is in the total is not known: it is added."""
        total = one.return_total if one.forward_total is None else one.forward_total
        if total is None:
            total = (one.shipping or Decimal(0)) + (one.cod or Decimal(0))
        if total <= 0:
            return None
        days = (one.arrives.astimezone(india.IST).date() - today).days if one.arrives else -1
        known_days = days if 0 <= days <= 365 else None
        fee, given = one.platform_fee, _given(shipping=one.shipping, cod=one.cod, rto=one.rto)
        return RateQuote(
            one.carrier_id or "", to_paisa(total + (fee or 0)), given | _given(platform_fee=fee),
            self.zone or "", _whole(self.weight_g), known_days, known_days,
        )  # fmt: skip


class Lane(Answer):
    """/serviceability: the carriers of a lane, for one payment mode and direction."""

    carriers: list[Any] = Field(validation_alias=AliasPath("result", "serviceability_results"))


class Said(Answer):
    """/cancel-order."""

    message: OrDefault[Text] = ""


class Done(Said):
    """/reattempt and /initiate-rto."""

    success: Flag


class Registered(Answer):
    """/warehouse."""

    warehouse_id: RequiredId = Field(validation_alias=AliasPath("payload", "warehouse_id"))


def _given(**amounts: Decimal | None) -> dict[str, Decimal]:
    return {name: amount for name, amount in amounts.items() if amount is not None}


def _whole(grams: Decimal | None) -> int | None:
    return round(grams) if grams is not None and 0 < grams < 10**6 else None
