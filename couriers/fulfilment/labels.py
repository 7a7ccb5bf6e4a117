"""Labels: fetched from the courier once, kept in Django's storage, and served from there.

What is not a whole PDF is never stored: couriers have answered errors in a label's place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile

from couriers.conf import tunables
from couriers.contract.errors import Unknown
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.models import Shipment, StoredLabel
from couriers.resilience.lock import LockTimeout, exclusive

_TAIL = 2048  # bytes in which a PDF's end mark is looked for


def label_of(shipment: Shipment) -> FieldFile:
    """The label of the shipment's current tracking id, as a stored file.

    Raises ActionNotAllowed for a shipment that is not booked; Unknown where the courier answers
    something else than a PDF; and what the courier says.
    """
    _check_booked(shipment)
    if found := _stored(shipment):
        return found
    try:
        with exclusive(f"label:{shipment.pk}", life=60, wait=10):
            return _stored(shipment) or _fetch(shipment)
    except LockTimeout:
        # Whoever holds it is slow. Fetching it once more does no harm.
        return _stored(shipment) or _fetch(shipment)


def label_data_of(shipment: Shipment) -> Mapping[str, Any]:
    """What the label says, as the courier's own JSON; asked of it every time.

    Raises as label_of does, and NotSupported where the courier has only the PDF.
    """
    _check_booked(shipment)
    adapter = CourierFactory.get_adapter(shipment.account)
    labels = adapter.get_label_data([shipment.tracking_id])
    if len(labels) != 1:
        raise Unknown(
            f"{len(labels)} labels came for one shipment",
            courier=shipment.courier_id,
            operation="get_label_data",
        )
    return labels[0]


def _check_booked(shipment: Shipment) -> None:
    if not shipment.tracking_id:
        raise ActionNotAllowed(
            "not-booked",
            "The shipment has no tracking id",
            f"It is {shipment.get_status_display().lower()}.",
        )


def _stored(shipment: Shipment) -> FieldFile | None:
    label = StoredLabel.objects.filter(shipment=shipment, tracking_id=shipment.tracking_id).first()
    if label is None:
        return None
    if label.file.storage.exists(str(label.file.name)):
        return label.file
    # The storage lost it: forget the row, so that it is fetched again.
    label.delete()
    return None


def _fetch(shipment: Shipment) -> FieldFile:
    document = CourierFactory.get_adapter(shipment.account).get_label([shipment.tracking_id])
    _check(document.content, shipment.courier_id)
    # Tracking ids are the courier's words, and no file names.
    digest = hashlib.sha256(shipment.tracking_id.encode()).hexdigest()[:16]
    label = StoredLabel(shipment=shipment, tracking_id=shipment.tracking_id)
    label.file.save(
        f"labels/{shipment.pk[-2:]}/{shipment.pk}-{digest}.pdf",
        ContentFile(document.content),
        save=False,
    )
    StoredLabel.objects.bulk_create([label], ignore_conflicts=True)
    kept = StoredLabel.objects.get(shipment=shipment, tracking_id=shipment.tracking_id)
    if kept.file.name != label.file.name:
        # Another process was quicker; its file is the one that is served.
        label.file.storage.delete(str(label.file.name))
    return kept.file


def _check(content: bytes, courier: str) -> None:
    largest = tunables().LABEL_MAX_BYTES
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-_TAIL:]:
        raise Unknown("the answer is not a whole PDF", courier=courier, operation="get_label")
    if len(content) > largest:
        raise Unknown(
            f"the label is larger than {largest} bytes", courier=courier, operation="get_label"
        )
