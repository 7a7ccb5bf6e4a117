"""What a merchant may change of a booked shipment: what is its own, of which the courier knows not.

These are its metadata and the consignee's e-mail. All else was told to the courier, so it is
changed by an action, or by another booking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction

from couriers.booking.drafts import clean_email
from couriers.booking.metadata import clean_metadata
from couriers.contract.errors import InvalidRequest
from couriers.contract.field_problems import FieldProblems
from couriers.contract.platform_errors import ShipmentErased
from couriers.models import Shipment
from couriers.models.audit import record


@dataclass(frozen=True, slots=True)
class ShipmentChange:
    """New values by the names of the metadata, None for those to remove; and the new e-mail.

    `email` None leaves it as it is, and "" removes it.
    """

    metadata: Mapping[str, str | None]
    email: str | None = None


def change_shipment(
    shipment: Shipment, change: ShipmentChange, *, check: Callable[[Shipment], None]
) -> Shipment:
    """Change a shipment, and return it as it is now.

    `check` is called with the shipment as it was, while no other change can come between; what it
    raises prevents the change. Raises InvalidRequest with all problems, and ShipmentErased.
    """
    with transaction.atomic():
        locked = Shipment.objects.select_for_update(of=("self",), no_key=True)
        current = locked.select_related("account", "warehouse").get(pk=shipment.pk)
        check(current)
        if current.erased_at is not None:
            raise ShipmentErased(current.pk)
        changed = _apply(current, change)
        if changed:
            columns = {name.partition(".")[0] for name in changed}
            current.save(update_fields=[*{_COLUMNS[name] for name in columns}, "updated_at"])
            # Without the values: nobody can erase them from the audit log.
            record(current, "change", details={"changed": changed})
    return current


_COLUMNS = {"metadata": "metadata", "consignee": "consignee_email"}


def _apply(shipment: Shipment, change: ShipmentChange) -> list[str]:
    """Set the new values in memory; return the names of what differs. Raises InvalidRequest."""
    problems = FieldProblems()
    merged = shipment.metadata | change.metadata
    metadata = clean_metadata({k: v for k, v in merged.items() if v is not None}, problems)
    email = None if change.email is None else clean_email(change.email, problems) or None
    if problems:
        raise InvalidRequest(problems)
    names = shipment.metadata.keys() | metadata.keys()
    changed = [
        f"metadata.{n}" for n in sorted(names) if shipment.metadata.get(n) != metadata.get(n)
    ]
    shipment.metadata = metadata
    if change.email is not None and email != shipment.consignee_email:
        shipment.consignee_email = email
        changed.append("consignee.email")
    return changed
