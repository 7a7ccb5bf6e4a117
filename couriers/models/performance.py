"""What became of the shipments of each month, by courier and lane: the couriers side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from django.db import models
from django.db.models import F, Q, Sum

from couriers.models.account import Courier
from couriers.models.company import Company

REGION_DIGITS = 2  # of a pincode: India Post's sub-region, of which there are fewer than 90


def region_of(pincode: str) -> str:
    """Return the region of a pincode, its first two digits. A lane leads from one to another."""
    return pincode[:REGION_DIGITS]


class Averages:
    """What the counts of a row, or sums of them, come to. None where there is nothing to divide by.

    Shares are in per cent: of the ended, and for first attempts of the delivered.
    """

    ended: Any
    delivered: Any
    rto: Any
    lost: Any
    delivery_seconds: Any
    attempts: Any
    first_attempt: Any

    @property
    def delivered_percent(self) -> float | None:
        return _ratio(100 * self.delivered, self.ended, 1)

    @property
    def rto_percent(self) -> float | None:
        return _ratio(100 * self.rto, self.ended, 1)

    @property
    def first_attempt_percent(self) -> float | None:
        return _ratio(100 * self.first_attempt, self.delivered, 1)

    @property
    def average_days(self) -> float | None:
        """The days of 24 hours from booking to delivery."""
        return _ratio(self.delivery_seconds / 86_400, self.delivered, 1)

    @property
    def average_attempts(self) -> float | None:
        return _ratio(self.attempts, self.delivered + self.rto, 2)


def _ratio(part: float, whole: int, digits: int) -> float | None:
    return round(part / whole, digits) if whole else None


@dataclass(frozen=True, slots=True)
class PerformanceSums(Averages):
    """Counts of several rows together, with the meaning of CourierPerformance."""

    booked: int = 0
    ended: int = 0
    delivered: int = 0
    rto: int = 0
    lost: int = 0
    delivery_seconds: int = 0
    attempts: int = 0
    first_attempt: int = 0

    @classmethod
    def of(cls, rows: Iterable[PerformanceSums]) -> PerformanceSums:
        """Return the sums of sums."""
        each = list(rows)
        return cls(**{name: sum(getattr(one, name) for one in each) for name in COUNTS})


COUNTS = tuple(one.name for one in fields(PerformanceSums))


class PerformanceQuerySet(models.QuerySet["CourierPerformance"]):
    """The two kinds of rows, which must not be added up together."""

    def totals(self) -> PerformanceQuerySet:
        """Return the rows of all lanes together."""
        return self.filter(pickup_region="")

    def lanes(self) -> PerformanceQuerySet:
        """Return the rows of single lanes."""
        return self.filter(pickup_region__gt="")

    def sums_by(self, *names: str) -> list[tuple[tuple[Any, ...], PerformanceSums]]:
        """Return the values of the named columns, each with the sums of its rows, in one statement.

        They are in the order of the values.
        """
        groups = self.order_by(*names).values_list(*names)
        return [
            (tuple(row[: len(names)]), PerformanceSums(*row[len(names) :]))
            for row in groups.annotate(*(Sum(name) for name in COUNTS))
        ]


class CourierPerformance(Averages, models.Model):
    """A company's forward live shipments with one courier that were booked in a month in India.

    `month` is its first day. A lane leads from the region of the warehouse's pincode to that of the
    consignee's (`region_of`). The row without regions is of all lanes, and is there for every month
    that was counted, also without shipments. A shipment stays in the month in which it was booked.

    `ended` are those whose end is known: `delivered`, `rto` (back at the sender or on the way
    there), `lost` (or damaged). Cancelled ones are `booked` and nothing else.
    `delivery_seconds` is the sum of the times from booking to delivery, over the delivered.
    `attempts` is the sum of delivery attempts, over the delivered and the returned. `first_attempt`
    are those that were delivered at the first attempt.

    The rows are computed again and again, and never written where shipments change
    (operations/performance.py). `counted_at` is when that was.
    """

    month = models.DateField()
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", db_index=False)
    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="+", db_index=False)
    pickup_region = models.CharField(max_length=REGION_DIGITS, blank=True, default="")
    drop_region = models.CharField(max_length=REGION_DIGITS, blank=True, default="")
    booked = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    rto = models.PositiveIntegerField("RTO", default=0)
    lost = models.PositiveIntegerField("lost or damaged", default=0)
    delivery_seconds = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveIntegerField("delivery attempts", default=0)
    first_attempt = models.PositiveIntegerField("delivered at the first attempt", default=0)
    counted_at = models.DateTimeField()

    objects = PerformanceQuerySet.as_manager()

    class Meta:
        ordering = ("-month", "company", "courier", "pickup_region", "drop_region")
        verbose_name = "figure of a courier"
        verbose_name_plural = "performance of couriers"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "month", "courier", "pickup_region", "drop_region"],
                name="couriers_performance_once",
            ),
            models.CheckConstraint(
                condition=Q(pickup_region="", drop_region="")
                | ~Q(pickup_region="") & ~Q(drop_region=""),
                name="couriers_performance_lane_or_all",
            ),
            models.CheckConstraint(
                condition=Q(ended=F("delivered") + F("rto") + F("lost")),
                name="couriers_performance_adds_up",
            ),
        ]
        indexes = [
            # The months of all companies together: of all lanes, or by region of the pickup.
            models.Index(
                fields=["pickup_region", "month", "company", "courier", "drop_region"],
                name="couriers_performance_region",
            ),
        ]

    def __str__(self) -> str:
        lane = f" {self.pickup_region} to {self.drop_region}" if self.pickup_region else ""
        return f"{self.month:%Y-%m} {self.company_id}/{self.courier_id}{lane}"
