"""What happened on each day, counted from shipments and scans for the charts of the first page."""

from django.db import models
from django.db.models import Q

from couriers.models.account import Courier
from couriers.models.company import Company


class DayFigure(models.Model):
    """The counts of a day (in India) of one company with one courier, as of `counted_at`.

    `booked` are shipments that were booked on the day, `delivered` those that are delivered, since
    that day. `undelivered` are shipments with a failed attempt on the day, `returned` those whose
    way back (RTO) began on it. A row without company and courier stands for the day itself, which
    may be one without shipments.

    The rows are computed again and again, and never written where shipments change
    (operations/day_figures.py).
    """

    day = models.DateField()
    company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE, related_name="+")
    courier = models.ForeignKey(
        Courier, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    booked = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    undelivered = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ("-day", "company", "courier")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "company", "courier"], name="couriers_one_figure_of_a_day"
            ),
            models.UniqueConstraint(
                fields=["day"], condition=Q(company__isnull=True), name="couriers_day_counted_once"
            ),
            models.CheckConstraint(
                condition=Q(company__isnull=True, courier__isnull=True)
                | Q(company__isnull=False, courier__isnull=False),
                name="couriers_figure_of_day_or_company",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.company_id or ''}/{self.courier_id or ''}"
