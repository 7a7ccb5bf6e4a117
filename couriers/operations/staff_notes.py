"""Who looks after a shipment, and notes that members of staff write on it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.text import make_storable
from couriers.models import Assignment, Shipment, ShipmentNote
from couriers.models.staff_notes import MAX_NOTE


def assign(shipment: Shipment, user: AbstractBaseUser) -> Assignment:
    """Give the shipment to the user, unless somebody has it; return whose it is."""
    found, _ = Assignment.objects.select_related("user").get_or_create(
        shipment=shipment, defaults={"user_id": user.pk}
    )
    return found


def release(shipment: Shipment, user: AbstractBaseUser) -> bool:
    """Take the shipment from the user; return False where it is somebody else's, or nobody's."""
    return bool(Assignment.objects.filter(shipment=shipment, user_id=user.pk).delete()[0])


def add_note(shipment_id: str, author: AbstractBaseUser, text: str) -> ShipmentNote:
    """Add a note to a shipment.

    Raises InvalidRequest naming `text` for one that is empty or too long, and naming `shipment`
    where the consignee has been erased: a note may be about the consignee.
    """
    cleaned = make_storable(text).strip()
    if not cleaned or len(cleaned) > MAX_NOTE:
        raise InvalidRequest([FieldProblem("text", f"must have 1 to {MAX_NOTE} characters")])
    with transaction.atomic():
        # The lock keeps a note from coming after the erasure.
        shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment_id)
        if shipment.erased_at is not None:
            raise InvalidRequest([FieldProblem("text", "is not taken: the consignee is erased")])
        return ShipmentNote.objects.create(shipment=shipment, author_id=author.pk, text=cleaned)
