"""Pickups of a warehouse on a day, for couriers that are asked so and not for each shipment."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from couriers.models.account import CourierAccount
from couriers.models.asked import AskedOfCourier, AskedState, asked_constraints
from couriers.models.ids import new_pickup_id
from couriers.models.warehouse import Warehouse

# A pickup in one of these is the day's: another one is not asked for.
HELD = (AskedState.REQUESTED, AskedState.ACCEPTED, AskedState.DONE)


class WarehousePickup(AskedOfCourier):
    """A pickup of `count` parcels at a warehouse, on a day in India, in one of the courier's slots.

    A warehouse has one for each account and day.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_pickup_id, editable=False)
    account = models.ForeignKey(CourierAccount, on_delete=models.CASCADE, related_name="pickups")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE, related_name="pickups")
    day = models.DateField()
    slot = models.CharField(max_length=50, blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            *asked_constraints("couriers_pickup"),
            models.UniqueConstraint(
                fields=["warehouse", "account", "day"],
                condition=Q(state__in=sorted(HELD)),
                name="couriers_one_pickup_of_a_day",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(state=AskedState.REQUESTED),
                name="couriers_pickup_requested",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.get_state_display().lower()}"
