"""Labels: fetched from the courier once, then served from Django's storage, where it is encrypted.

Only a complete PDF is stored, because couriers have sent errors instead of labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.files.base import ContentFile

from couriers.conf import tunables
from couriers.contract.errors import Unknown
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.fulfilment.actions import check_booked, check_not_erased
from couriers.models import Shipment, StoredLabel
from couriers.resilience.lock import LockTimeout, hold_lock

log = get_logger(__name__)

_TRAILER_BYTES = 2048  # the last bytes of a PDF, which contain %%EOF


def get_label(shipment: Shipment) -> bytes:
    """Return the label for the shipment's current tracking id, as a PDF.

    Fetches it from the courier the first time. Raises ActionNotAllowed for a shipment that is not
    booked, ShipmentErased for one whose label was erased, Unknown where the courier's answer is not
    a complete PDF, and the courier's errors.
    """
    check_booked(shipment)
    check_not_erased(shipment)
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
    check_not_erased(shipment)
    adapter = CourierFactory.get_adapter(shipment.account)
    labels = adapter.get_label_data([shipment.tracking_id])
    if len(labels) != 1:
        raise Unknown(
            f"{len(labels)} labels came for one shipment",
            courier=shipment.courier_id,
            operation="get_label_data",
        )
    return labels[0]


def read_stored(label: StoredLabel) -> bytes | None:
    """Return the label's PDF, or None where the storage or FERNET_KEYS no longer give it."""
    if not label.file.storage.exists(str(label.file.name)):
        return None
    try:
        with label.file.open("rb") as file:
            return label.unseal(file.read())
    except FileNotFoundError:  # deleted since
        return None
    except InvalidToken:
        log.error("label_undecryptable", label=label.pk)
        return None


def _find_stored(shipment: Shipment) -> bytes | None:
    label = StoredLabel.objects.filter(shipment=shipment, tracking_id=shipment.tracking_id).first()
    if label is None:
        return None
    try:
        label.open_key()
    except InvalidToken:
        # It is kept: a process with the right keys can read it.
        log.error("label_key_undecryptable", label=label.pk)
        return None
    content = read_stored(label)
    if content is None:
        # The file is lost, damaged, or plain: delete what is left, so that it is fetched again.
        label.delete()
        label.file.storage.delete(str(label.file.name))
    return content


def _fetch(shipment: Shipment) -> bytes:
    document = CourierFactory.get_adapter(shipment.account).get_label([shipment.tracking_id])
    _check_pdf(document.content, shipment.courier_id)
    # A tracking id may not be a valid file name: its hash is.
    digest = hashlib.sha256(shipment.tracking_id.encode()).hexdigest()[:16]
    label = StoredLabel(shipment=shipment, tracking_id=shipment.tracking_id)
    label.file.save(
        f"labels/{shipment.pk[-2:]}/{shipment.pk}-{digest}.pdf.sealed",
        ContentFile(label.seal(document.content)),
        save=False,
    )
    name = str(label.file.name)
    StoredLabel.objects.bulk_create([label], ignore_conflicts=True)
    if not StoredLabel.objects.filter(shipment=shipment, file=name).exists():
        # Another process has stored the label first, and its file is the one to keep.
        label.file.storage.delete(name)
    return document.content


def _check_pdf(content: bytes, courier: str) -> None:
    max_bytes = tunables().LABEL_MAX_BYTES
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-_TRAILER_BYTES:]:
        raise Unknown("the answer is not a complete PDF", courier=courier, operation="get_label")
    if len(content) > max_bytes:
        raise Unknown(
            f"the label is larger than {max_bytes} bytes", courier=courier, operation="get_label"
        )
