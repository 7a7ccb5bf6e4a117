"""A shipment with everything that is erased of it, and the time after which it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.models import (
    CourierAccount,
    FlagKind,
    Scan,
    Shipment,
    ShipmentAction,
    ShipmentFlag,
    StoredDocument,
)
from couriers.models.flag import raise_flag
from tests.support.drafts import DRAFT
from tests.support.toy import PDF

# Texts that must be nowhere once the shipment has been erased.
PERSONAL = (
    "Asha Sample", "9876543210", "Secret Lane", "Pune", "T-shirt 3XL", "9123456780", "too small",
    "left with Ravi", "gate 4", "door locked", "refused words", "panel words", "track.example",
)  # fmt: skip


def make_full_shipment(account: CourierAccount, **changes: Any) -> Shipment:
    """Book a shipment with a key, scans, a call, a flag and a label, delivered 401 days ago."""
    consignee = dataclasses.replace(DRAFT.consignee, city="Pune")
    item = dataclasses.replace(DRAFT.items[0], name="T-shirt 3XL", sku="TS", hsn_code="61091000")
    draft = dataclasses.replace(
        DRAFT, consignee=consignee, items=(item,), options={"alternate_phone": "9123456780"}
    )
    shipment = book(account.company, dataclasses.replace(draft, **changes)).shipment
    shipment.calls.update(message="refused words")
    at = ended(401)
    for place, status, word in (
        ("gate 4", "delivered", "Delivered"),
        ("gate 5", "delivered", "Delivered"),
        ("", "", "left with Ravi"),
    ):
        Scan.objects.create(
            shipment=shipment, tracking_id=shipment.tracking_id, at=at, status=status,
            courier_status=word, location=place, description="left with Ravi",
            ndr_reason="door locked",
        )  # fmt: skip
    ShipmentAction.objects.create(
        shipment=shipment, kind="address", state="done", ended_at=at,
        asked={"phone": "9123456780", "address": "9, Secret Lane"}, words="refused words",
    )  # fmt: skip
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    ShipmentFlag.objects.update(cleared_at=timezone.now(), clear_reason="panel words")
    label = StoredDocument(shipment=shipment, tracking_id=shipment.tracking_id)
    label.file.save(f"labels/{shipment.pk}.pdf.sealed", ContentFile(label.seal(PDF)), save=False)
    label.save()
    Shipment.objects.filter(pk=shipment.pk).update(
        status="delivered", failure="refused words", ndr_reason="door locked",
        return_reason="too small", courier_tracking_url="https://track.example/1",
    )  # fmt: skip
    return age(shipment, 401)


def age(shipment: Shipment, days: int) -> Shipment:
    """Have the shipment created and ended that many days ago; return it as it is then."""
    Shipment.objects.filter(pk=shipment.pk).update(
        created_at=ended(days), updated_at=ended(days), status_at=ended(days)
    )
    shipment.refresh_from_db()
    return shipment


def ended(days: int) -> dt.datetime:
    """Return the time that many days ago."""
    return timezone.now() - dt.timedelta(days=days)


def dump_of(*tables: str) -> str:
    """Return all rows of the tables, or of every table, as PostgreSQL writes them."""
    names = tables or connection.introspection.table_names()
    texts = []
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"SELECT {name}::text FROM {name}")
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)
