"""A person's request to be erased: the shipments of an order or of a phone, at once.

What is under way is refused by name: its parcel needs the address. Each erasure has an entry in the
audit log, which holds neither phone nor name.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from couriers.booking.bulk_jobs import stored_phone
from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.statuses import TERMINAL
from couriers.models import AuditEntry, BulkOrder, Company, Shipment
from couriers.models.audit import entry_of
from couriers.models.job import OrderOutcome
from couriers.models.phones import phone_hashes
from couriers.operations.erasure import (
    ErasedShipment,
    erase_kept_elsewhere,
    erase_locked,
    erase_orders,
    orders_with_texts,
)

log = get_logger(__name__)

ACTION = "erase_consignee"  # of the audit entry
Progress = Callable[[int], None]


class FoundBy(enum.StrEnum):
    """By what the shipments of a request were found."""

    ORDER = "order"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Whose data is to be erased: of the company's `value`, an order number or ten digits."""

    company: Company
    found_by: FoundBy
    value: str

    def shipments(self) -> QuerySet[Shipment]:
        """Return the company's shipments and returns, without their encrypted columns."""
        if self.found_by is FoundBy.PHONE:
            chosen = Q(phone_hash__in=phone_hashes(self.value))
        else:
            chosen = Q(order_number=self.value) | Q(original__order_number=self.value)
        rows = Shipment.objects.filter(chosen, company=self.company).order_by("pk")
        return rows.only(
            "account_id", "order_number", "status", "tracking_id", "former_tracking_ids",
            "created_at", "erased_at",
        )  # fmt: skip

    def pending_orders(self) -> list[BulkOrder]:
        """Return the orders of bulk jobs that are not booked yet."""
        rows = BulkOrder.objects.filter(job__company=self.company, outcome=OrderOutcome.PENDING)
        if self.found_by is FoundBy.ORDER:
            return list(rows.filter(order_number=self.value).defer("request"))
        return [order for order in rows.defer("request").iterator() if self._is_to_phone(order)]

    def ended_orders(self) -> QuerySet[BulkOrder]:
        """Return the ended orders of bulk jobs with this number or phone.

        The phone of an order that was rejected is not known: its request is erased.
        """
        rows = orders_with_texts().filter(job__company=self.company)
        if self.found_by is FoundBy.ORDER:
            return rows.filter(order_number=self.value)
        failed = rows.filter(outcome=OrderOutcome.FAILED).defer("request")
        return rows.filter(pk__in=[one.pk for one in failed.iterator() if self._is_to_phone(one)])

    def unsearchable(self) -> int:
        """Return how many of the company's shipments cannot be found by their phone.

        FERNET_KEYS did not open their phones when the hashes were written.
        """
        if self.found_by is FoundBy.ORDER:
            return 0
        rows = Shipment.objects.filter(company=self.company, erased_at__isnull=True, phone_hash="")
        return rows.count()

    def _is_to_phone(self, order: BulkOrder) -> bool:
        try:
            return stored_phone(order) == self.value
        except UnreadableValue:
            log.error("bulk_order_unreadable", job=order.job_id, position=order.position)
            return False


@dataclass(slots=True)
class Erased:
    """What a request came to. `live` names what is under way, and was left."""

    shipments: int = 0
    erased: int = 0
    already_erased: int = 0
    bulk_orders: int = 0
    unsearchable: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)
    live: list[dict[str, str]] = field(default_factory=list)


def erase_requested(
    request: ErasureRequest, *, dry_run: bool = False, progress: Progress = lambda steps: None
) -> Erased:
    """Erase the ended shipments of a request; with `dry_run` only count them.

    It may be repeated. `progress` is called with the number of shipments of each batch.
    """
    rows = list(request.shipments())
    done = Erased(shipments=len(rows), unsearchable=request.unsearchable())
    done.already_erased = sum(row.erased_at is not None for row in rows)
    done.live = [
        {"order_number": row.order_number, "shipment": row.pk, "status": row.status}
        for row in rows
        if row.erased_at is None and row.status not in TERMINAL
    ]
    done.live += [
        {"order_number": order.order_number, "job": order.job_id, "status": order.outcome}
        for order in request.pending_orders()
    ]
    ended = [row for row in rows if row.erased_at is None and row.status in TERMINAL]
    if dry_run:
        done.erased, done.bulk_orders = len(ended), request.ended_orders().count()
        return done
    started = timezone.now()
    # First elsewhere: the shipments of a run that was killed are still found by their phones.
    _count(done, erase_kept_elsewhere([_of(row, row.created_at) for row in rows]))
    size = tunables().RETENTION_BATCH
    for at in range(0, len(ended), size):
        batch = ended[at : at + size]
        done.erased += _erase(request, [row.pk for row in batch])
        progress(len(batch))
    done.bulk_orders = erase_orders(request.ended_orders())
    _count(done, erase_kept_elsewhere([_of(row, started) for row in ended]))
    return done


def _erase(request: ErasureRequest, ids: Sequence[str]) -> int:
    """Erase the shipments that are still ended, each with its entry in the audit log."""
    with transaction.atomic():
        found = Shipment.objects.filter(pk__in=ids, status__in=TERMINAL, erased_at__isnull=True)
        locked = found.select_for_update(of=("self",)).order_by("pk")
        keys = list(locked.values_list("pk", flat=True))
        erase_locked(keys)
        AuditEntry.objects.bulk_create(
            entry_of(
                shipment,
                ACTION,
                reason="The consignee's data was erased on request.",
                details={"found_by": request.found_by.value},
            )
            for shipment in Shipment.objects.filter(pk__in=keys).only(
                "company", "order_number", "status"
            )
        )
    log.warning(ACTION, company=request.company.slug, shipments=len(keys))
    return len(keys)


def _of(row: Shipment, since: dt.datetime) -> ErasedShipment:
    ids = tuple(filter(None, (row.tracking_id, *row.former_tracking_ids)))
    return ErasedShipment(row.pk, row.account_id, row.order_number, ids, since)


def _count(done: Erased, counts: dict[str, Any]) -> None:
    for name, count in counts.items():
        done.elsewhere[name] = done.elsewhere.get(name, 0) + count
