"""Retention: rows are deleted, personal data erased and secrets cleared when their time is over.

That is done in batches by primary key. Each batch is a short transaction with a pause after
it, so that no other transaction waits long for a lock. Other apps register their own rules.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from couriers.conf import tunables
from couriers.contract.logs import get_logger
from couriers.contract.statuses import UNSETTLED
from couriers.models import (
    BulkJob,
    CourierAccount,
    CourierCall,
    DoubtInquiry,
    Event,
    IdempotencyKey,
    Manifest,
    OperatorJob,
    WarehousePickup,
)
from couriers.models.account import previous_secret_fields
from couriers.operations import erasure, purge_of_tests, shared_files

log = get_logger(__name__)

ALL = Q()
ENDED_SECRETS = "previous_webhook_secrets"  # the name of their count
Progress = Callable[[int], None]


class Rule(Protocol):
    """What is deleted or erased after its time. `name` is the key of its count in the summary."""

    @property
    def name(self) -> str: ...

    def expired(self) -> QuerySet[Any]:
        """The rows whose time is over, in the order of their keys."""

    def take_batch(self, after: Any, size: int) -> tuple[Any, int]:
        """Delete or erase up to `size` of the rows after the key `after`, None at first.

        Returns the last key and the number of rows; None for the key where nothing is left. Rows
        that another transaction has locked are left for the next run.
        """


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Rows of a model that are deleted `days` days after the time in `field`.

    `only` limits them. `name` is the key of their count in the summary. With `of_shipment` the
    rows belong to a shipment, and are kept while the shipment is not settled.
    """

    name: str
    model: type[Model]
    field: str
    days: Callable[[], int]
    only: Q = ALL
    of_shipment: bool = False

    def expired(self) -> QuerySet[Model]:
        """The rows that may be deleted now, in the order of their keys."""
        cutoff = timezone.now() - dt.timedelta(days=self.days())
        rows = self.model._default_manager.filter(self.only, **{f"{self.field}__lt": cutoff})
        if self.of_shipment:
            rows = rows.exclude(shipment__status__in=UNSETTLED)
        return rows.order_by("pk")

    def take_batch(self, after: Any, size: int) -> tuple[Any, int]:
        """Delete a batch, as Rule says."""
        with transaction.atomic():
            rows = self.expired()
            if after is not None:
                rows = rows.filter(pk__gt=after)
            locked = rows.select_for_update(skip_locked=True, of=("self",))
            keys = list(locked.values_list("pk", flat=True)[:size])
            if not keys:
                return None, 0
            self.model._default_manager.filter(pk__in=keys).delete()
        return keys[-1], len(keys)


@dataclass(frozen=True, slots=True)
class ErasureRule:
    """Rows whose personal data is erased, by functions of couriers.operations.erasure."""

    name: str
    expired: Callable[[], QuerySet[Any]]
    erase: Callable[[Any, int], tuple[Any, int]]

    def take_batch(self, after: Any, size: int) -> tuple[Any, int]:
        """Erase a batch, as Rule says."""
        return self.erase(after, size)


@dataclass(slots=True)
class Purged:
    """How many rows were deleted, erased or cleared, by rule.

    `finished` is False where the time was over.
    """

    counts: dict[str, int] = field(default_factory=dict)
    finished: bool = True


_rules: dict[str, Rule] = {}


def register(rule: Rule) -> None:
    """Add a rule; a rule of the same name is replaced."""
    _rules[rule.name] = rule


def rules() -> list[Rule]:
    """All registered rules."""
    return list(_rules.values())


def purge(seconds: float | None = None, progress: Progress = lambda deleted: None) -> Purged:
    """Clear, delete and erase what has expired for at most `seconds`; return the counts.

    It may be repeated, and may run in several processes at once. `progress` is called with the
    number of rows of each batch.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    purged = Purged({ENDED_SECRETS: clear_ended_secrets(), **{rule.name: 0 for rule in rules()}})
    for rule in rules():
        last = None
        while True:
            found, deleted = rule.take_batch(last, tunables().RETENTION_BATCH)
            if found is None:
                break
            last = found
            purged.counts[rule.name] += deleted
            progress(deleted)
            if deadline is not None and time.monotonic() >= deadline:
                purged.finished = False
                return purged
            time.sleep(tunables().RETENTION_PAUSE)
        if purged.counts[rule.name]:
            log.info("rows_purged", kind=rule.name, rows=purged.counts[rule.name])
    return purged


def clear_ended_secrets() -> int:
    """Clear the previous webhook secrets that are no longer valid; return how many.

    Those of accounts that another transaction has locked are left for the next run.
    """
    life = dt.timedelta(seconds=tunables().WEBHOOK_PREVIOUS_SECRET_SECONDS)
    ended = CourierAccount.objects.filter(previous_webhook_secret_at__lte=timezone.now() - life)
    with transaction.atomic():
        locked = ended.select_for_update(skip_locked=True, no_key=True)
        keys = list(locked.values_list("pk", flat=True))
        return CourierAccount.objects.filter(pk__in=keys).update(**previous_secret_fields(""))


register(
    RetentionRule(
        "idempotency_keys",
        IdempotencyKey,
        "created_at",
        days=lambda: tunables().RETENTION_KEYS_DAYS,
        of_shipment=True,
    )
)
register(
    RetentionRule(
        "courier_calls",
        CourierCall,
        "started_at",
        days=lambda: tunables().RETENTION_CALLS_DAYS,
        of_shipment=True,
    )
)
register(
    RetentionRule(
        "warehouse_pickups",
        WarehousePickup,
        "asked_at",
        days=lambda: tunables().RETENTION_EVENTS_DAYS,
    )
)
register(
    RetentionRule(
        "operator_jobs",
        OperatorJob,
        "finished_at",
        days=lambda: tunables().RETENTION_CONSIGNEE_DAYS,
    )
)
register(
    RetentionRule(
        "doubt_inquiries",
        DoubtInquiry,
        "created_at",
        days=lambda: tunables().RETENTION_CALLS_DAYS,
        of_shipment=True,
    )
)
register(
    RetentionRule("events", Event, "created_at", days=lambda: tunables().RETENTION_OUTBOX_DAYS)
)
register(ErasureRule("test_shipments", purge_of_tests.due_shipments, purge_of_tests.purge_batch))
register(
    RetentionRule(
        "test_jobs",
        BulkJob,
        "created_at",
        days=lambda: purge_of_tests.DAYS,
        only=Q(is_test=True),
    )
)
register(
    RetentionRule(
        "test_manifests",
        Manifest,
        "created_at",
        days=lambda: purge_of_tests.DAYS,
        only=Q(account__is_test=True),
    )
)
register(ErasureRule("consignees", erasure.due_for_erasure, erasure.erase_batch))
register(ErasureRule("bulk_orders", erasure.due_orders, erasure.erase_orders_batch))
register(ErasureRule("label_jobs", shared_files.expired, shared_files.purge_batch))
