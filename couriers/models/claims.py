"""How workers share rows: which rows may be taken, how to take them, and when to try again.

A row is due from its `next_attempt_at` on. Its worker holds a lease until `lease_expires_at`, so
that the rows of a worker that died are taken up by another one.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Doubling:
    """Pauses in seconds: `first`, twice as long after each failure, `longest` at most.

    Up to a quarter of a pause is taken off by chance, so that rows which failed together are not
    tried again together.
    """

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        exponent = min(max(failures, 1) - 1, 64)
        pause = min(self.first * 2.0**exponent, self.longest)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311


def back_off(
    failures: int, pauses: Doubling | Sequence[float], retry_after: float | None = None
) -> float:
    """Seconds until the next attempt, after so many failures in a row.

    `pauses` may be a table: its last entry holds for all later failures. A longer delay that the
    courier named (`retry_after`) is kept.
    """
    if isinstance(pauses, Doubling):
        pause = pauses.after(failures)
    else:
        pause = pauses[min(max(failures, 1), len(pauses)) - 1]
    return max(pause, retry_after or 0.0)


def seconds_from_now(seconds: float) -> dt.datetime:
    """The moment at which a lease of so many seconds ends, or the next attempt is due."""
    return timezone.now() + dt.timedelta(seconds=seconds)


def due() -> Q:
    """Rows whose next attempt may be made now."""
    return Q(next_attempt_at__lte=timezone.now())


def unclaimed() -> Q:
    """Rows that nobody works on: never claimed, released, or the lease has run out."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=timezone.now())


def lock(rows: QuerySet[M], *, limit: int) -> list[M]:
    """Lock up to `limit` of the rows until the transaction ends, passing over locked ones."""
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])


def claim(rows: QuerySet[M], *, limit: int, **changes: Any) -> list[M]:
    """Take up to `limit` of the rows for the caller, by writing `changes` on them.

    `changes` must make the rows such that `rows` no longer has them: a lease, a time stamp. The
    rows are returned as they were before, so that a lease which has run out can be recognised.
    """
    with transaction.atomic():
        taken = lock(rows, limit=limit)
        if taken:
            rows.model._default_manager.filter(pk__in=[row.pk for row in taken]).update(**changes)
    return taken
