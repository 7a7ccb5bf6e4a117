"""Polling the parcels that couriers have which were asked before the shipment's own.

Such a parcel is followed as a shipment is, until it has ended or is cancelled: nothing else tells
where the courier's callbacks are lost. They are few, so a run asks about them first.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import NotFound, RateLimited
from couriers.contract.logs import get_logger
from couriers.contract.receiver import CourierEvent, Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import TERMINAL
from couriers.contract.types import Tracking
from couriers.models import BookingAttempt, CourierAccount
from couriers.models.claims import claim
from couriers.resilience import waits
from couriers.resilience.database import is_outage
from couriers.tracking.events import apply_events

log = get_logger(__name__)

MAX_BATCHES = 4  # of an account in a run


def due_parcels(cutoff: dt.datetime) -> QuerySet[BookingAttempt]:
    """The open parcels whose last scan and last poll were before the cutoff, longest due first.

    The few parcels have a partial index.
    """
    return (
        BookingAttempt.objects.filter(cancelled_at__isnull=True)
        .exclude(tracking_id="")
        .exclude(parcel_status__in=sorted(TERMINAL))
        .alias(last_contact=Greatest("found_at", "parcel_status_at", "polled_at"))
        .filter(last_contact__lt=cutoff)
        .order_by("last_contact", "pk")
    )


def poll_parcels(account: CourierAccount, *, cutoff: dt.datetime, deadline: float) -> int:
    """Ask the account's courier about due parcels, and apply what it says; return about how many.

    No call is begun after `deadline`, on the monotonic clock. The run ends at the first error:
    a batch that the rate limiter held back stays due, and any other is asked about after the next
    silence.
    """
    asked = 0
    due = due_parcels(cutoff).filter(account=account)
    for _ in range(MAX_BATCHES):
        if time.monotonic() >= deadline:
            break
        parcels = claim(due, limit=_batch_size(account), polled_at=timezone.now())
        if not (parcels and _poll(account, parcels)):
            break
        asked += len(parcels)
    return asked


def _batch_size(account: CourierAccount) -> int:
    adapter = CourierFactory.adapter_class(account.courier_id)
    return max(1, adapter.track_size) if Capability.TRACK_SHIPMENTS in adapter.capabilities else 1


def _poll(account: CourierAccount, parcels: Sequence[BookingAttempt]) -> bool:
    """Ask about a batch; return whether that went well."""
    try:
        with waits.allow_long_waits():
            trackings = list(_ask(account, [parcel.tracking_id for parcel in parcels]))
        apply_events(account, [event for each in trackings for event in _events(each)])
    except RateLimited:
        BookingAttempt.objects.bulk_update(parcels, ["polled_at"])  # as before the claim
        return False
    except NotFound:
        log.warning("parcel_not_found", account=account.pk, attempt=parcels[0].pk)
    except Exception as error:
        if is_outage(error):
            raise
        log.warning("parcels_not_polled", account=account.pk, error=str(error))
        return False
    return True


def _ask(account: CourierAccount, ids: Sequence[str]) -> Iterable[Tracking]:
    adapter = CourierFactory.get_adapter(account)
    if adapter.supports(Capability.TRACK_SHIPMENTS):
        found: dict[str, Tracking] = call_adapter(adapter, Capability.TRACK_SHIPMENTS, list(ids))
        return [found[one] for one in ids if one in found]
    return [call_adapter(adapter, Capability.TRACK_SHIPMENT, one) for one in ids]


def _events(tracking: Tracking) -> Iterable[CourierEvent]:
    """The scans of a tracking, as the events that its courier's callbacks would have been."""
    for scan in tracking.scans:
        yield CourierEvent(Topic.TRACK_UPDATED, tracking.tracking_id, scan=scan)
