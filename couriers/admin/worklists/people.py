"""What the lists show of people: the consignee's phone, who looks after a shipment, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from couriers.admin.base import mask_phone
from couriers.contract.masking import mask_text
from couriers.models import Assignment, Shipment, ShipmentNote
from couriers.models.fields import UNREADABLE_TEXT, readable_or
from couriers.operations.staff import VIEW_CONSIGNEE


@dataclass(frozen=True, slots=True)
class People:
    """Of one shipment. The phone is masked, unless it was asked for."""

    phone: str
    is_phone_shown: bool
    assigned_to: str
    is_mine: bool
    note: str


def people_of(
    shipments: Sequence[Shipment], user: Any, shown: str | None = None
) -> Mapping[str, People]:
    """Return what is shown of people, by shipment id, in two statements.

    `shown` is the shipment whose phone the user has just asked for, with the permission.
    """
    ids = [one.pk for one in shipments]
    assigned = {
        one.shipment_id: one
        for one in Assignment.objects.filter(shipment__in=ids).select_related("user")
    }
    notes = {
        one.shipment_id: one
        for one in ShipmentNote.objects.filter(shipment__in=ids)
        .select_related("author")
        .order_by("shipment_id", "-pk")
        .distinct("shipment_id")
    }
    unmasked = user.has_perm(VIEW_CONSIGNEE)
    return {
        one.pk: People(
            phone=_phone(one, masked=one.pk != shown),
            is_phone_shown=one.pk == shown,
            assigned_to=str(assigned[one.pk].user) if one.pk in assigned else "",
            is_mine=one.pk in assigned and assigned[one.pk].user_id == user.pk,
            note=note_words(notes[one.pk], unmasked=unmasked) if one.pk in notes else "",
        )
        for one in shipments
    }


def note_words(note: ShipmentNote, *, unmasked: bool) -> str:
    """The note with its author, without phones and e-mail addresses unless `unmasked`."""
    text = str(readable_or(note, "text", UNREADABLE_TEXT))
    return f"{note.author}: {text if unmasked else mask_text(text)}"


def _phone(shipment: Shipment, *, masked: bool) -> str:
    phone = str(readable_or(shipment, "consignee_phone", ""))
    return mask_phone(phone) if masked else phone
