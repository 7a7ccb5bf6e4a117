"""Documents that the courier is asked for once, and that are then served from the storage."""

from __future__ import annotations

import dataclasses
from typing import Any

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.documents import Document
from couriers.contract.registry import CourierFactory
from couriers.documents.fetching import as_document
from couriers.documents.storing import file_name, find_stored, store
from couriers.models import CourierAccount, Shipment
from couriers.resilience.lock import LockTimeout, hold_lock


def stored_or_asked(
    shipment: Shipment, kind: str, capability: Capability, argument: Any
) -> Document:
    """Return the stored document of the shipment; else ask the courier, and store its answer.

    `argument` is that of the capability's method. Where the storage is full or away, the document
    is returned all the same, and stored when it is asked for again. Raises the errors of `ask`.
    """
    if stored := find_stored(shipment, kind):
        return stored
    try:
        with hold_lock(f"{kind}:{shipment.pk}", life=60, wait=10):
            return find_stored(shipment, kind) or _ask(shipment, kind, capability, argument)
    except LockTimeout:
        # Another process is still fetching it. To fetch it twice does no harm.
        return find_stored(shipment, kind) or _ask(shipment, kind, capability, argument)


def ask(account: CourierAccount, kind: str, capability: Capability, argument: Any) -> Document:
    """Ask the courier for a document, and fetch the link that it may answer.

    Raises the courier's errors, those of fetching a link, and Unknown where the answer is not a
    complete file of its type, or the plug-in has a fault.
    """
    answer = call_adapter(CourierFactory.get_adapter(account), capability, argument)
    return as_document(account, kind, answer, capability.value)


def _ask(shipment: Shipment, kind: str, capability: Capability, argument: Any) -> Document:
    document = ask(shipment.account, kind, capability, argument)
    store(shipment, kind, shipment.tracking_id, document)
    name = file_name(kind, shipment.tracking_id, document.content_type)
    return dataclasses.replace(document, filename=name)
