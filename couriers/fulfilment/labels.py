"""Labels: fetched from the courier once, then served from Django's storage.

Only a complete PDF is stored, because couriers have sent errors instead of labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile

from couriers.conf import tunables
from couriers.contract.errors import Unknown
from couriers.contract.registry import CourierFactory
from couriers.fulfilment.actions import check_booked
from couriers.models import Shipment, StoredLabel
from couriers.resilience.lock import LockTimeout, hold_lock

_TRAILER_BYTES = 2048  # the last bytes of a PDF, which contain %%EOF


def get_label(shipment: Shipment) -> FieldFile:
    """Return the label for the shipment's current tracking id, as a stored file.

    Fetches it from the courier the first time. Raises ActionNotAllowed for a shipment that is not
    booked, Unknown where the courier's answer is not a complete PDF, and the courier's errors.
    """
    check_booked(shipment)
    if stored := _find_stored(shipment):
        return stored
    try:
        with hold_lock(f"label:{shipment.pk}", life=60, wait=10):
            return _find_stored(shipment) or _fetch(shipment)
    except LockTimeout:
        # Another process is still fetching it. To fetch it twice does no harm.
        return _find_stored(shipment) or _fetch(shipment)


def get_label_data(shipment: Shipment) -> Mapping[str, Any]:
    """Fetch the data of the label as the courier's own JSON. It is not stored.

    Raises the errors of `get_label`, and NotSupported where the courier has only the PDF.
    """
    check_booked(shipment)
    adapter = CourierFactory.get_adapter(shipment.account)
    labels = adapter.get_label_data([shipment.tracking_id])
    if len(labels) != 1:
        raise Unknown(
            f"{len(labels)} labels came for one shipment",
            courier=shipment.courier_id,
            operation="get_label_data",
        )
    return labels[0]


def open_stored(label: StoredLabel) -> FieldFile | None:
    """Return the label's file, opened for reading, or None where the storage no longer has it."""
    if not label.file.storage.exists(str(label.file.name)):
        return None
    try:
        label.file.open("rb")
    except FileNotFoundError:  # deleted since
        return None
    return label.file


def _find_stored(shipment: Shipment) -> FieldFile | None:
    label = StoredLabel.objects.filter(shipment=shipment, tracking_id=shipment.tracking_id).first()
    if label is None:
        return None
    if label.file.storage.exists(str(label.file.name)):
        return label.file
    # The storage has lost the file: delete the row, so that the label is fetched again.
    label.delete()
    return None


def _fetch(shipment: Shipment) -> FieldFile:
    document = CourierFactory.get_adapter(shipment.account).get_label([shipment.tracking_id])
    _check_pdf(document.content, shipment.courier_id)
    # A tracking id may not be a valid file name: its hash is.
    digest = hashlib.sha256(shipment.tracking_id.encode()).hexdigest()[:16]
    label = StoredLabel(shipment=shipment, tracking_id=shipment.tracking_id)
    label.file.save(
        f"labels/{shipment.pk[-2:]}/{shipment.pk}-{digest}.pdf",
        ContentFile(document.content),
        save=False,
    )
    StoredLabel.objects.bulk_create([label], ignore_conflicts=True)
    stored = StoredLabel.objects.get(shipment=shipment, tracking_id=shipment.tracking_id)
    if stored.file.name != label.file.name:
        # Another process has stored the label first, and its file is the one to serve.
        label.file.storage.delete(str(label.file.name))
    return stored.file


def _check_pdf(content: bytes, courier: str) -> None:
    max_bytes = tunables().LABEL_MAX_BYTES
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-_TRAILER_BYTES:]:
        raise Unknown("the answer is not a complete PDF", courier=courier, operation="get_label")
    if len(content) > max_bytes:
        raise Unknown(
            f"the label is larger than {max_bytes} bytes", courier=courier, operation="get_label"
        )
