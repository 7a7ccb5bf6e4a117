"""How workers share rows: which rows they may claim, how to claim them, and when to try again.

A row is due from its `next_attempt_at` on. Its worker holds a lease until `lease_expires_at`. After
that another worker may claim the row, because its worker has died.

All times are the database's, so that the clocks of the machines need not agree.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class DoublingPauses:
    """Pauses in seconds that double after each failure, from `first` up to `longest`.

    A random part of each pause, up to a quarter, is taken off, so that rows which failed together
    are not tried again together.
    """

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """Return the pause in seconds after `failures` failures in a row."""
        exponent = min(max(failures, 1) - 1, 64)
        pause = min(self.first * 2.0**exponent, self.longest)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 # nosec B311


def back_off(
    failures: int, pauses: DoublingPauses | Sequence[float], retry_after: float | None = None
) -> float:
    """Return the seconds until the next attempt, after `failures` failures in a row.

    `pauses` may be a list of pauses in seconds, of which the last one is for all later failures.
    If the courier named a longer delay (`retry_after`), that is returned.
    """
    if isinstance(pauses, DoublingPauses):
        pause = pauses.after(failures)
    else:
        pause = pauses[min(max(failures, 1), len(pauses)) - 1]
    return max(pause, retry_after or 0.0)


def seconds_from_now(seconds: float) -> CombinedExpression:
    """Return the time `seconds` from now, as the end of a lease or the time of an attempt.

    It is an expression: the database computes it when it writes the row.
    """
    return Now() + dt.timedelta(seconds=seconds)


def due() -> Q:
    """Select the rows whose next attempt may be made now."""
    return Q(next_attempt_at__lte=Now())


def unclaimed() -> Q:
    """Select the rows without a worker: never claimed, released, or with an expired lease."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now())


def bring_forward(rows: QuerySet[M], longest_pause: float) -> int:
    """Make due the rows whose next attempt is further away than a pause can be; return how many.

    The database's clock was set back since. A lease is left alone: its worker may be at work.
    """
    late = rows.filter(next_attempt_at__gt=seconds_from_now(longest_pause))
    return late.update(next_attempt_at=Now())


def lock_rows(rows: QuerySet[M], *, limit: int) -> list[M]:
    """Lock up to `limit` of the rows until the transaction ends; skip rows that are locked."""
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])


def claim(rows: QuerySet[M], *, limit: int, **changes: Any) -> list[M]:
    """Claim up to `limit` of the rows for the caller, by updating them with `changes`.

    `changes` must take the rows out of the query `rows`, for example by a lease. Returns the rows
    as they were before, so that the caller can see whether an earlier lease has run out.
    """
    with transaction.atomic():
        claimed = lock_rows(rows, limit=limit)
        if claimed:
            rows.model._default_manager.filter(pk__in=[row.pk for row in claimed]).update(**changes)
    return claimed
