"""What is done to a shipment under way: one row for each time that the courier is asked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from couriers.contract.actions import ActionKind
from couriers.contract.masking import mask_text
from couriers.contract.statuses import Status
from couriers.models.asked import OPEN, AskedOfCourier, AskedState, asked_constraints
from couriers.models.fields import EncryptedJSONField, readable_or
from couriers.models.ids import new_action_id
from couriers.models.shipment import Shipment


class ShipmentAction(AskedOfCourier):
    """One action on a shipment. A shipment has at most one that is open.

    `asked` holds the texts that were asked with (phone, address, name, instructions, remark); it is
    encrypted, and erased with the consignee, as are `words`. `day` is in India.
    `status_after` is the status that the courier says follows. An accepted action is asked about
    from `next_attempt_at` on, for the `asks`-th time.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_action_id, editable=False)
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=10, choices=ActionKind)
    day = models.DateField(null=True, blank=True)
    slot = models.CharField(max_length=50, blank=True)
    asked = EncryptedJSONField(default=dict, blank=True)
    status_after = models.CharField(
        "status that follows", max_length=30, choices=Status, blank=True
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    asks = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-id",)
        constraints = [
            *asked_constraints("couriers_action"),
            models.UniqueConstraint(
                fields=["shipment"],
                condition=Q(state__in=sorted(OPEN)),
                name="couriers_one_open_action",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ActionKind.values), name="couriers_action_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=AskedState.ACCEPTED) | Q(next_attempt_at__isnull=False),
                name="couriers_action_accepted_is_asked_about",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=AskedState.ACCEPTED),
                name="couriers_action_accepted",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(state=AskedState.REQUESTED),
                name="couriers_action_requested",
            ),
            models.Index(
                fields=["asked_at"],
                include=["shipment"],
                condition=Q(state=AskedState.UNKNOWN),
                name="couriers_action_unknown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display().lower()}"

    @property
    def reason(self) -> str:
        """Why it was asked for, masked; "" where nobody said, and where no key opens it."""
        asked = readable_or(self, "asked", {})
        return mask_text(asked.get("remark") or asked.get("instructions", ""))

    @property
    def followed_by(self) -> Status | None:
        """The shipment's status that follows, None where it is not known."""
        return Status(self.status_after) if self.status_after else None
