"""The frozen dataclasses that cross the courier contract.

Money is Decimal rupees, weight whole grams, sizes whole centimetres, times aware datetimes (UTC).
A courier's peculiarities travel in `options`, which only that courier's plug-in reads.
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

from couriers.contract.statuses import MappedStatus

MOST_ATTEMPTS = 32_767  # what the column holds


class Direction(models.TextChoices):
    """Which way the goods travel: to the consignee, or back from them."""

    FORWARD = "forward", "Forward"
    REVERSE = "reverse", "Reverse"


class PaymentMode(models.TextChoices):
    """How a forward shipment is paid for."""

    PREPAID = "prepaid", "Prepaid"
    COD = "cod", "Cash on delivery"


@dataclass(frozen=True, slots=True)
class Address:
    """A place with somebody to call. `phone` is ten digits, `state` a full name."""

    name: str
    phone: str
    address: str
    city: str
    state: str
    pincode: str

    def fingerprint(self) -> str:
        """The same for the same address, and for no other (SHA-256, hex)."""
        parts = (self.name, self.phone, self.address, self.city, self.state, self.pincode)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Seller:
    """The company that sells: its name and address on the invoice, and its GSTIN."""

    name: str
    gstin: str
    address: str
    state: str


@dataclass(frozen=True, slots=True)
class Pickup:
    """A warehouse. `reference` is the courier's own name for it, "" until registered."""

    warehouse_id: str
    reference: str
    address: Address


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the order. `value` is the whole line's price with GST at `gst_rate` per cent."""

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

    `consignee` is the customer and `pickup` the seller's warehouse in both directions; for a
    reverse shipment the goods go from the first to the second and `return_reason` is given.
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


@dataclass(frozen=True, slots=True)
class Booking:
    """What the courier said to a booking: its tracking id, waybill and who carries it."""

    tracking_id: str
    waybill: str = ""
    vendor: str = ""
    tracking_url: str = ""
    courier_status: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """One event in a parcel's life, in the courier's own time (aware, UTC)."""

    mapped: MappedStatus
    at: dt.datetime
    location: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Tracking:
    """All that the courier tells of a shipment. `estimated_delivery` may be None.

    So may `attempts`, and is where the number given is no count of attempts: less than 0, or
    more than MOST_ATTEMPTS.
    """

    tracking_id: str
    scans: tuple[Scan, ...]
    order_number: str = ""
    estimated_delivery: dt.datetime | None = None
    attempts: int | None = None

    def __post_init__(self) -> None:
        if self.attempts is not None and not 0 <= self.attempts <= MOST_ATTEMPTS:
            object.__setattr__(self, "attempts", None)


@dataclass(frozen=True, slots=True)
class RateRequest:
    """A lane and a parcel to be priced. Amounts in rupees; `service` "" asks for all."""

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
    """A courier's price for a lane with its parts, in rupees; days are whole and may be unknown."""

    service: str
    total: Decimal
    parts: Mapping[str, Decimal]
    zone: str = ""
    billed_weight_g: int | None = None
    min_days: int | None = None
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Serviceability:
    """What a courier does at a pincode. Flags are None where the courier does not say."""

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


class ActionState(enum.StrEnum):
    """Whether an action is over, or only taken on by the courier."""

    DONE = "done"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The end of an action that did not fail. `handle` asks an accepted one's outcome later."""

    state: ActionState = ActionState.DONE
    handle: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseRegistration:
    """The courier's own reference for a registered warehouse."""

    reference: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A label, manifest or proof, fetched and ready to be stored."""

    content: bytes
    content_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """A manifest made by the courier for at most one chunk of tracking ids."""

    number: str
    created_at: dt.datetime
    url: str


@dataclass(frozen=True, slots=True)
class ReattemptRequest:
    """Another delivery attempt on `date` (India time), with what the consignee changed."""

    tracking_id: str
    date: dt.date
    phone: str = ""
    address: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class PickupRequest:
    """A pickup asked for at a warehouse on a day, in a slot, for these shipments.

    `options` are what each of them was booked with, in the order of `tracking_ids`.
    """

    pickup: Pickup
    date: dt.date
    tracking_ids: tuple[str, ...]
    slot: str = ""
    options: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` calls in `window` seconds."""

    count: int
    window: float


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    """What a merchant asks to have booked, before it is checked and completed.

    `consignee.phone` is as it was typed; `warehouse_id` "" means the company's default. For a
    return, `original_id` is the shipment whose goods come back and `order_number` the return's own.
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
    invoice_number: str = ""
    invoice_date: dt.date | None = None
    return_reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
