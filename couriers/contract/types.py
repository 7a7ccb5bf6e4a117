"""The frozen dataclasses that the platform and the couriers' plug-ins exchange.

Money is Decimal rupees, weight whole grams, sizes whole centimetres, times aware datetimes (UTC).
`options` holds what only one courier offers; only that courier's plug-in reads it.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.text import slugify

from couriers.contract.documents import BookingDocument
from couriers.contract.statuses import MappedStatus

MAX_DELIVERY_ATTEMPTS = 32_767  # the largest value of the column Shipment.delivery_attempts
MAX_SERVICE = 100  # characters of a courier's service id


class Direction(models.TextChoices):
    """Whether the goods travel to the consignee or back from them."""

    FORWARD = "forward", "Forward"
    REVERSE = "reverse", "Reverse"


class PaymentMode(models.TextChoices):
    """How a forward shipment is paid for."""

    PREPAID = "prepaid", "Prepaid"
    COD = "cod", "Cash on delivery"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address with a contact. `phone` is ten digits, `state` a full name.

    `landmark` and `email` are "" where there is none. A courier that has no field for a landmark
    takes `street`.
    """

    name: str
    phone: str
    address: str
    city: str
    state: str
    pincode: str
    landmark: str = ""
    email: str = ""

    @property
    def street(self) -> str:
        """The address with its landmark, in one line."""
        return f"{self.address}, {self.landmark}" if self.landmark else self.address

    def fingerprint(self) -> str:
        """Return a hash of the postal address and its contact (SHA-256, hex), to detect changes.

        An address without landmark and e-mail has the hash that it had before there were any.
        """
        parts = [self.name, self.phone, self.address, self.city, self.state, self.pincode]
        if self.landmark or self.email:
            parts += [self.landmark, self.email]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Seller:
    """The selling company as it stands on the invoice."""

    name: str
    gstin: str
    address: str
    state: str


@dataclass(frozen=True, slots=True)
class Pickup:
    """A warehouse. `reference` is the courier's own name for it, "" until it is registered."""

    warehouse_id: str
    reference: str
    address: Address
    email: str = ""

    def new_reference(self) -> str:
        """Return a name for the present address, for couriers that take the platform's names.

        It tells addresses apart, so a changed address is registered beside the former one.
        """
        name = slugify(self.address.name)[:40] or "warehouse"
        return f"{name}-{self.warehouse_id[-8:]}-{self.address.fingerprint()[:6]}"


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the order. `value` is its total in rupees, with GST at `gst_rate` per cent."""

    name: str
    quantity: int
    value: Decimal
    gst_rate: Decimal
    sku: str = ""
    category: str = ""
    hsn_code: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package: weight in grams, sizes in centimetres."""

    weight_g: int
    length_cm: int
    width_cm: int
    height_cm: int


@dataclass(frozen=True, slots=True)
class ShipmentRequest:
    """A shipment to book.

    In both directions `consignee` is the customer and `pickup` the seller's warehouse. A reverse
    shipment travels from the consignee to the warehouse and has a `return_reason`.

    `shipment_id` and `attempt` identify the attempt. `reserved_id` is the number that was reserved
    for it with the courier, "" where the courier gives one: a create with a reserved number may be
    repeated.
    """

    order_number: str
    order_date: dt.date
    direction: Direction
    payment_mode: PaymentMode
    cod_amount: Decimal
    consignee: Address
    items: tuple[Item, ...]
    parcel: Parcel
    seller: Seller
    pickup: Pickup
    service: str = ""
    invoice_number: str = ""
    invoice_date: dt.date | None = None
    return_reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    shipment_id: str = ""
    attempt: int = 1
    reserved_id: str = ""


@dataclass(frozen=True, slots=True)
class Charges:
    """What a booking costs, in rupees. `total` includes GST, which is `gst` where it is known.

    `parts` are named as those of a RateQuote. `billed_weight_g` is the weight that is charged.
    """

    total: Decimal
    parts: Mapping[str, Decimal] = field(default_factory=dict)
    gst: Decimal | None = None
    billed_weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """The courier's answer to a booking, or what was found of one.

    `order_number` is the order that the courier names, "" where the answer names none; what
    `find_booking` returns must name it. `vendor` is the network that carries the parcel, for
    example the carrier behind an aggregator. `courier_order_id` is the courier's own number of the
    order. `documents` exist only now, or may be fetched now.
    """

    tracking_id: str
    waybill: str = ""
    vendor: str = ""
    tracking_url: str = ""
    courier_status: str = ""
    order_number: str = ""
    courier_order_id: str = ""
    charges: Charges | None = None
    documents: tuple[BookingDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """One tracking event of a parcel. `at` is the courier's time (aware, UTC).

    The texts are the courier's own and whole: the platform masks personal data in them and cuts
    them when it stores them.
    """

    mapped: MappedStatus
    at: dt.datetime
    location: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Tracking:
    """The courier's tracking data of a shipment.

    `estimated_delivery` and `attempts` are None where the courier does not name them. `attempts`
    below 0 or above MAX_DELIVERY_ATTEMPTS become None.
    """

    tracking_id: str
    scans: tuple[Scan, ...]
    order_number: str = ""
    estimated_delivery: dt.datetime | None = None
    attempts: int | None = None

    def __post_init__(self) -> None:
        if self.attempts is not None and not 0 <= self.attempts <= MAX_DELIVERY_ATTEMPTS:
            object.__setattr__(self, "attempts", None)


@dataclass(frozen=True, slots=True)
class RateRequest:
    """A lane and a parcel to quote. Amounts are in rupees. `service` "" means all services."""

    pickup_pincode: str
    drop_pincode: str
    parcel: Parcel
    payment_mode: PaymentMode
    invoice_amount: Decimal
    cod_amount: Decimal = Decimal(0)
    direction: Direction = Direction.FORWARD
    service: str = ""


@dataclass(frozen=True, slots=True)
class RateQuote:
    """A courier's price for a lane in rupees, with its parts and the days of transit.

    The part for collecting cash is named `cod`.

    `service` is the courier's id of the service: a booking takes it as `service`, whole. It has at
    most MAX_SERVICE characters.
    """

    service: str
    total: Decimal
    parts: Mapping[str, Decimal]
    zone: str = ""
    billed_weight_g: int | None = None
    min_days: int | None = None
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Serviceability:
    """What a courier offers at a pincode. A field is None where the courier does not name it."""

    pincode: str
    serviceable: bool
    cod: bool | None = None
    max_cod_amount: Decimal | None = None
    forward_pickup: bool | None = None
    forward_drop: bool | None = None
    reverse_pickup: bool | None = None
    reverse_drop: bool | None = None
    city: str = ""
    state: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseRegistration:
    """A registered warehouse. `reference` is the courier's own name for it."""

    reference: str
    remark: str = ""


class LimitScope(enum.StrEnum):
    """Who shares a limit: one account's calls, or all calls from this address to the host."""

    ACCOUNT = "account"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` permits in `window` seconds; a call takes `cost` of them.

    `scope` says who shares them.
    """

    count: int
    window: float
    cost: int = 1
    scope: LimitScope = LimitScope.ACCOUNT


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """What is likely wrong with a field of an order that is booked all the same.

    `code` is stable. `message` has no data of the consignee, because it is kept in clear.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    """A merchant's request for a booking, before it is checked and completed.

    `consignee.phone` is what the merchant typed. `warehouse_id` "" means the company's default.
    For a return, `original_id` is the delivered shipment and `order_number` the return's own.
    `quote` is the text of a quote to book with. `metadata` is the merchant's own: texts by name,
    which no courier gets. `warnings` are the
    checks', not the merchant's: they are no part of the request.
    """

    courier: str
    order_number: str
    order_date: dt.date
    payment_mode: PaymentMode
    consignee: Address
    items: tuple[Item, ...]
    parcel: Parcel
    cod_amount: Decimal = Decimal(0)
    warehouse_id: str = ""
    direction: Direction = Direction.FORWARD
    original_id: str = ""
    service: str = ""
    quote: str = ""
    invoice_number: str = ""
    invoice_date: dt.date | None = None
    return_reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[FieldWarning, ...] = ()
