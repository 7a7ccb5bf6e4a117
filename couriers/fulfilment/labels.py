"""Labels: fetched from the courier once, then served from Django's storage, where it is encrypted.

Only a complete PDF is stored, because couriers have sent errors instead of labels.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from prometheus_client import Counter

from couriers.conf import tunables
from couriers.contract.batches import batches
from couriers.contract.documents import merge_pdfs
from couriers.contract.errors import Unknown
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.fulfilment.actions import check_booked, check_not_erased
from couriers.models import CourierAccount, Shipment, StoredLabel
from couriers.resilience.lock import LockTimeout, hold_lock

log = get_logger(__name__)

NOT_STORED = Counter(
    "shipcrowd_labels_not_stored", "Labels that the storage of documents did not take"
)
_TRAILER_BYTES = 2048  # the last bytes of a PDF, which contain %%EOF


def get_label(shipment: Shipment) -> bytes:
    """Return the label for the shipment's current tracking id, as a PDF.

    Fetches it from the courier the first time, and stores it. Where the storage is full or away,
    the label is returned all the same, and stored when it is asked for again.

    Raises ActionNotAllowed for a shipment that is not
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
    """Return the label's PDF, or None where the storage or FERNET_KEYS cannot give it."""
    try:
        if not label.file.storage.exists(str(label.file.name)):
            return None
        with label.file.open("rb") as file:
            return label.unseal(file.read())
    except FileNotFoundError:  # deleted since
        return None
    except ImproperlyConfigured:
        raise
    except Exception as error:  # noqa: BLE001 - a storage may raise anything while it is away
        log.error("label_not_read", label=label.pk, error=type(error).__name__)
        return None


def _find_stored(shipment: Shipment) -> bytes | None:
    label = StoredLabel.objects.filter(shipment=shipment, tracking_id=shipment.tracking_id).first()
    return read_stored(label) if label else None


def fetch_labels(account: CourierAccount, tracking_ids: Iterable[str]) -> bytes:
    """Fetch the labels of some shipments as one PDF, each once, in the order given.

    Raises Unknown where a courier's answer is not a complete PDF, and the courier's errors.
    """
    adapter = CourierFactory.get_adapter(account)
    parts = [adapter.get_label(ids).content for ids in batches(tracking_ids, adapter.label_size)]
    return merge_pdfs(parts, courier=adapter.code, operation="get_label")


def _fetch(shipment: Shipment) -> bytes:
    content = fetch_labels(shipment.account, [shipment.tracking_id])
    _check_pdf(content, shipment.courier_id)
    _store(shipment, content)
    return content


def _store(shipment: Shipment, content: bytes) -> None:
    """Store the label encrypted, where the storage takes it."""
    label = StoredLabel(shipment=shipment, tracking_id=shipment.tracking_id)
    storage = label.file.storage
    # A tracking id may not be a valid file name: its hash is. The last part makes the name unique,
    # so that a file that could not be written whole is no other's.
    digest = hashlib.sha256(shipment.tracking_id.encode()).hexdigest()[:16]
    wanted = f"labels/{shipment.pk[-2:]}/{shipment.pk}-{digest}-{secrets.token_hex(4)}.pdf.sealed"
    try:
        name = storage.save(wanted, ContentFile(label.seal(content)))
    except ImproperlyConfigured:
        raise
    except Exception as error:  # noqa: BLE001 - a storage may raise anything when it is full
        NOT_STORED.inc()
        log.error("label_not_stored", shipment=shipment.pk, error=type(error).__name__)
        _delete_file(storage, wanted)
        return
    try:
        needless = _record(label, name)
    except BaseException:
        _delete_file(storage, name)
        raise
    if needless:
        _delete_file(storage, needless)


def _record(label: StoredLabel, name: str) -> str | None:
    """Store the row of a file that is complete; return the name of a file that nobody needs now."""
    kept, is_new = StoredLabel.objects.get_or_create(
        shipment=label.shipment,
        tracking_id=label.tracking_id,
        defaults={"file": name, "file_key": label.file_key},
    )
    if is_new:
        return None
    if not kept.has_readable_key() or read_stored(kept) is not None:
        # Another process has stored the label first, or has the keys to read it.
        return name
    # The file is lost, damaged, or plain.
    StoredLabel.objects.filter(pk=kept.pk).update(file=name, file_key=label.file_key)
    return str(kept.file.name)


def _delete_file(storage: Storage, name: str) -> None:
    """Delete a file that is not needed, or what is there of it."""
    try:
        storage.delete(name)
    except Exception as error:  # noqa: BLE001 - a storage may raise anything while it is away
        log.error("label_file_left", name=name, error=type(error).__name__)


def _check_pdf(content: bytes, courier: str) -> None:
    max_bytes = tunables().LABEL_MAX_BYTES
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-_TRAILER_BYTES:]:
        raise Unknown("the answer is not a complete PDF", courier=courier, operation="get_label")
    if len(content) > max_bytes:
        raise Unknown(
            f"the label is larger than {max_bytes} bytes", courier=courier, operation="get_label"
        )
