"""Whether news about shipments comes in time, as the gauges and canaries have it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from couriers.contract.statuses import UNDER_WAY
from couriers.models import CourierAccount, Shipment
from couriers.models.account import Rollout
from couriers.models.shipment import LAST_CONTACT
from couriers.tracking.polling import poll_cutoff

CALLBACK_SILENCE = 43_200.0  # seconds without a callback, after which an account's are silent


@dataclass(frozen=True, slots=True)
class News:
    """How many shipments are due, and of how many of them the last news is fresh.

    Due is a shipment under way that was booked more than TRACKING_SILENCE ago. Fresh is news, by
    callback or poll, that is younger than TRACKING_SILENCE. A poll that failed is no news.
    """

    due: int
    fresh: int

    @property
    def rate(self) -> float | None:
        """The share of the due shipments with fresh news, None where none is due."""
        return self.fresh / self.due if self.due else None


def news_by(column: str, **among: Any) -> dict[str, News]:
    """Return the news of the due shipments by the values of a column, without those with none due.

    `among` are arguments of QuerySet.filter.

    Polling asks again as soon as news is as old as TRACKING_SILENCE, so the share is just below 1
    while all is well: some wait for the next run.
    """
    cutoff = poll_cutoff()
    rows = (
        _booked_before(cutoff)
        .filter(**among)
        .alias(last_contact=LAST_CONTACT)
        .values(column)
        .annotate(due=Count("pk"), fresh=Count("pk", filter=Q(last_contact__gte=cutoff)))
        .order_by()
    )
    return {row[column]: News(row["due"], row["fresh"]) for row in rows}


def silent_accounts() -> QuerySet[CourierAccount]:
    """Return the enabled accounts whose courier should have called back and has not.

    They have a shipment that has been under way for longer than CALLBACK_SILENCE, and no good
    callback for as long.
    """
    cutoff = poll_cutoff(CALLBACK_SILENCE)
    return (
        CourierAccount.objects.exclude(rollout=Rollout.OFF)
        .filter(Exists(_booked_before(cutoff).filter(account=OuterRef("pk"))))
        .filter(
            Q(callback_tally=None)
            | Q(callback_tally__accepted_at=None)
            | Q(callback_tally__accepted_at__lt=cutoff)
        )
    )


def _booked_before(cutoff: dt.datetime) -> QuerySet[Shipment]:
    """Return the shipments under way that were booked before the time."""
    under_way = Shipment.objects.filter(status__in=sorted(UNDER_WAY))
    return under_way.alias(since=Coalesce("booked_at", "created_at")).filter(since__lt=cutoff)
