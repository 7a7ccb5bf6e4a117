"""Parcels in the states that a consignee meets, each with a history, for the public pages."""

from __future__ import annotations

import datetime as dt
import io
import itertools
from typing import Any

from django.utils import timezone
from PIL import Image, ImageDraw

from couriers.models import Company, CompanyLogo, CourierAccount, Scan, Shipment
from couriers.tracking.logo_images import read_logo
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    ShipmentFactory,
    WarehouseFactory,
)

# Of each state, the status and the statuses before it, the oldest first.
HISTORIES: dict[str, tuple[str, ...]] = {
    "preparing": ("in_doubt",),
    "booked": ("booked",),
    "on-its-way": ("booked", "picked_up", "in_transit", "delayed"),
    "out-for-delivery": ("booked", "picked_up", "in_transit", "out_for_delivery"),
    "undelivered": ("booked", "picked_up", "in_transit", "out_for_delivery", "undelivered"),
    "delivered": ("booked", "picked_up", "in_transit", "out_for_delivery", "delivered"),
    "going-back": (
        "booked", "picked_up", "in_transit", "out_for_delivery", "undelivered", "rto_requested",
        "rto_in_transit",
    ),
    "back": ("booked", "picked_up", "undelivered", "rto_in_transit", "rto_delivered"),
    "cancelled": ("booked", "cancelled"),
    "lost": ("booked", "picked_up", "in_transit", "lost"),
    "return": ("booked", "out_for_pickup"),
    "return-missed": ("booked", "out_for_pickup", "not_picked"),
    "return-done": ("booked", "picked_up", "in_transit", "delivered"),
}  # fmt: skip
UNSETTLED = ("in_doubt", "booking", "failed")
_numbers = itertools.count(104_220_017)
REASON = "Customer Unavailable"  # Ekart's words for customer_unavailable


def png_of(width: int = 600, height: int = 180, **options: Any) -> bytes:
    """A PNG like a logo: a word in a box, on a transparent ground."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((4, 4, width - 4, height - 4), 24, outline="#7a1f5c", width=8)
    draw.text((width / 2, height / 2), "Kesar & Co", "#7a1f5c", anchor="mm", font_size=height / 3)
    written = io.BytesIO()
    image.save(written, "PNG", **options)
    return written.getvalue()


def make_shop(**columns: Any) -> CourierAccount:
    """A company with a logo and a contact, and its account with Ekart."""
    company = CompanyFactory(
        slug="kesar", name="Kesar & Co Textiles", support_phone="1800 123 4567",
        support_email="help@kesar.example", support_url="https://kesar.example/help",
        **columns,
    )  # fmt: skip
    give_logo(company, png_of())
    WarehouseFactory(company=company)
    courier = CourierRowFactory(code="ekart", name="Ekart")
    return CourierAccountFactory(company=company, courier=courier)


def give_logo(company: Company, upload: bytes) -> CompanyLogo:
    """Store the upload as the company's logo."""
    read = read_logo(upload)
    logo, _ = CompanyLogo.objects.update_or_create(
        company=company,
        defaults={
            "content": read.content, "content_type": read.content_type, "digest": read.digest,
            "width": read.width, "height": read.height,
        },
    )  # fmt: skip
    return logo


def make_parcel(account: CourierAccount, state: str, **columns: Any) -> Shipment:
    """A shipment in the state, whose last scan is two hours old."""
    history = HISTORIES[state]
    status = history[-1]
    last = timezone.now() - dt.timedelta(hours=2)
    attempted = {"undelivered", "not_picked"} & set(history)
    known = {
        "status": status,
        "status_at": last,
        "direction": "reverse" if state.startswith("return") else "forward",
        "tracking_id": "" if status in UNSETTLED else f"EKT{next(_numbers):09d}",
        "ndr_reason": REASON if attempted else "",
        "estimated_delivery": last + dt.timedelta(days=1),
        "payment_mode": "cod",
    }
    warehouse = account.company.warehouses.get()
    shipment = ShipmentFactory(account=account, warehouse=warehouse, **known | columns)
    scans = [] if status in UNSETTLED else history
    for number, name in enumerate(reversed(scans)):
        Scan.objects.create(
            shipment=shipment, at=last - dt.timedelta(hours=11 * number), status=name,
            courier_status=name, ndr_reason=REASON if name in attempted else "",
        )  # fmt: skip
    return shipment
