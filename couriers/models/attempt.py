"""The attempts to book an order that are over: with which courier each was, and how it ended.

The present attempt is the shipment's own row. An attempt that books nothing is written here in the
transaction that ends it, and it stays when the audit of calls is purged.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from couriers.contract.statuses import Status
from couriers.contract.types import MAX_SERVICE
from couriers.models.account import Courier, CourierAccount
from couriers.models.asked import OPEN, AskedOfCourier, AskedState, asked_constraints
from couriers.models.call import Outcome
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.shipment import Shipment


class BookingAttempt(models.Model):
    """One attempt of a shipment that booked nothing, as far as was known when it ended.

    `number` is the shipment's `attempt` of that time. `outcome` is the class of its create call,
    UNKNOWN for one that was in doubt and was settled as absent. `reason` is for the merchant, as
    Shipment.failure. `tracking_id` is that of a parcel which its courier turned out to have, and
    `parcel_status` the last known status of that parcel, which never is the shipment's,
    with the courier's time of it.
    `cancelled_at` is when that parcel was cancelled, and `polled_at` when its courier was last
    asked about it.
    """

    # No index of its own: the unique constraint's index begins with the shipment.
    shipment = models.ForeignKey(
        Shipment, on_delete=models.CASCADE, related_name="earlier_attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    account = models.ForeignKey(
        CourierAccount, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="+")
    service = models.CharField(max_length=MAX_SERVICE, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    tracking_id = models.CharField(max_length=100, blank=True)
    parcel_status = models.CharField(max_length=30, choices=Status, blank=True)
    parcel_status_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField("parcel found", null=True, blank=True)
    cancelled_at = models.DateTimeField("parcel cancelled", null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("shipment", "number")
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "number"], name="couriers_one_row_of_an_attempt"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="couriers_attempt_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(tracking_id="", found_at__isnull=True)
                | (~Q(tracking_id="") & Q(found_at__isnull=False)),
                name="couriers_attempt_parcel_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tracking_id", "account"],
                condition=~Q(tracking_id=""),
                name="couriers_attempt_parcel",
            ),
            models.Index(fields=["account", "shipment"], name="couriers_attempt_account"),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id}, attempt {self.number}"

    @property
    def has_open_parcel(self) -> bool:
        """Whether its courier has a parcel that nobody has cancelled."""
        return bool(self.tracking_id) and self.cancelled_at is None


class FailOver(models.Model):
    """An order whose doubt was settled as absent, and which the next courier is asked for.

    `attempt` is the one that has failed. The row is there until the next courier has been asked, or
    something else has become of the order. All times are the database's.
    """

    shipment = models.OneToOneField(Shipment, on_delete=models.CASCADE, related_name="fail_over")
    attempt = models.PositiveIntegerField()
    tries = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.shipment_id}, after attempt {self.attempt}"


class ParcelCancel(AskedOfCourier):
    """A cancellation of the parcel that an earlier attempt's courier has.

    An attempt has one that is open. An accepted one is asked about from `next_attempt_at` on, for
    the `asks`-th time.
    """

    attempt = models.ForeignKey(BookingAttempt, on_delete=models.CASCADE, related_name="cancels")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    asks = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-id",)
        constraints = [
            *asked_constraints("couriers_parcel_cancel"),
            models.UniqueConstraint(
                fields=["attempt"],
                condition=Q(state__in=sorted(OPEN)),
                name="couriers_one_open_parcel_cancel",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=AskedState.ACCEPTED),
                name="couriers_parcel_cancel_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.get_state_display().lower()}"
