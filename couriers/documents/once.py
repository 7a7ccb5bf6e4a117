"""A document that the courier is asked for once, and that is then served from the storage."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.documents import Document, DocumentLink
from couriers.contract.registry import CourierFactory
from couriers.documents.fetching import as_document
from couriers.documents.storing import file_name, find_stored, store
from couriers.models import Shipment
from couriers.resilience.lock import LockTimeout, hold_lock

# Asks the courier for a document.
Ask = Callable[[BaseCourierAdapter], Document | DocumentLink]


def stored_or_asked(shipment: Shipment, kind: str, operation: str, ask: Ask) -> Document:
    """Return the stored document of the shipment; else ask the courier, and store its answer.

    Where the storage is full or away, the document is returned all the same, and stored when it is
    asked for again. Raises Unknown where the answer is not a complete file of its type, the errors
    of fetching a link, and the courier's errors.
    """
    if stored := find_stored(shipment, kind):
        return stored
    try:
        with hold_lock(f"{kind}:{shipment.pk}", life=60, wait=10):
            return find_stored(shipment, kind) or _ask(shipment, kind, operation, ask)
    except LockTimeout:
        # Another process is still fetching it. To fetch it twice does no harm.
        return find_stored(shipment, kind) or _ask(shipment, kind, operation, ask)


def _ask(shipment: Shipment, kind: str, operation: str, ask: Ask) -> Document:
    account = shipment.account
    answer = ask(CourierFactory.get_adapter(account))
    document = as_document(account, kind, answer, operation)
    store(shipment, kind, shipment.tracking_id, document)
    name = file_name(kind, shipment.tracking_id, document.content_type)
    return dataclasses.replace(document, filename=name)
