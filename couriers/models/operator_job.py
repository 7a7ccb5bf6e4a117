"""What an operator has asked to be done to shipments: one job, with one item for each shipment.

A single action is a job with one item. An action that a courier cannot take now waits in its item.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.contract.actions import ActionKind
from couriers.models.action import ShipmentAction
from couriers.models.fields import MAX_ERROR_TEXT, EncryptedJSONField
from couriers.models.ids import new_operator_job_id
from couriers.models.job import JobState
from couriers.models.shipment import Shipment


class OperatorAct(models.TextChoices):
    """What an operator can have done to shipments: each kind of action, and tracking them now."""

    REATTEMPT = ActionKind.REATTEMPT.value, "Re-attempt"
    RTO = ActionKind.RTO.value, "Return to origin"
    ADDRESS = ActionKind.ADDRESS.value, "Change the address"
    CANCEL = ActionKind.CANCEL.value, "Cancel"
    PICKUP = ActionKind.PICKUP.value, "Set the day of pickup"
    TRACK = "track", "Track now"


class ItemOutcome(models.TextChoices):
    """How far a shipment of a job is. `waiting` is still to be done, all others are ends.

    `accepted` will be done by the courier later. After `changed` and `unknown` a person decides
    again. `given_up` is one whose courier was away for too long.
    """

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    ACCEPTED = "accepted", "Accepted by the courier"
    REFUSED = "refused", "Refused"
    CHANGED = "changed", "Changed since"
    UNKNOWN = "unknown", "Not known"
    GIVEN_UP = "given_up", "Given up"


class OperatorJob(models.Model):
    """One request of an operator. `token` is its form's, so that a double click makes one job.

    `day` is in India. `asked` holds the texts that were asked with (phone, address, name,
    instructions, remark); it is encrypted, and erased once the job has ended. Where the operator
    chose all rows of a work list, `worklist` and `filters` name them; a worker reads them into
    items, and until `filled_at` there are none.
    """

    id = models.CharField(
        primary_key=True, max_length=40, default=new_operator_job_id, editable=False
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=10, choices=OperatorAct)
    day = models.DateField(null=True, blank=True)
    slot = models.CharField(max_length=50, blank=True)
    asked = EncryptedJSONField(default=dict, blank=True)
    worklist = models.CharField("work list", max_length=30, blank=True)
    filters = models.JSONField(default=dict, blank=True)
    token = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.PENDING)
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    filled_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "job of an operator"
        verbose_name_plural = "jobs of operators"
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=OperatorAct.values), name="couriers_opjob_act_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=JobState.values), name="couriers_opjob_state_known"
            ),
            models.UniqueConstraint(fields=["actor", "token"], name="couriers_opjob_once"),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state=JobState.PENDING), name="couriers_opjob_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} ({self.pk})"


class OperatorJobItem(models.Model):
    """One shipment of a job. `seen` is its version (models.seen) that was decided on, "" for any.

    The worker that asks the courier holds a lease until `lease_expires_at`. `started_at` is the
    time of the first claim: an action that the job's actor asked since then is this item's, also
    where the worker died before it could write so. `tries` counts the attempts that certainly did
    nothing, because the courier was away.
    """

    job = models.ForeignKey(OperatorJob, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="+")
    seen = models.CharField(max_length=16, blank=True, db_default="", editable=False)
    outcome = models.CharField(
        max_length=10, choices=ItemOutcome, db_default=ItemOutcome.WAITING.value
    )
    words = models.CharField(max_length=MAX_ERROR_TEXT, blank=True, db_default="")
    action = models.ForeignKey(
        ShipmentAction, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    tries = models.PositiveIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("job", "position")
        verbose_name = "shipment of an operator's job"
        verbose_name_plural = "shipments of operators' jobs"
        constraints = [
            models.UniqueConstraint(fields=["job", "shipment"], name="couriers_opitem_once"),
            models.UniqueConstraint(fields=["job", "position"], name="couriers_opitem_position"),
            models.CheckConstraint(
                condition=Q(outcome__in=ItemOutcome.values), name="couriers_opitem_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome=ItemOutcome.WAITING, finished_at__isnull=True)
                | (~Q(outcome=ItemOutcome.WAITING) & Q(finished_at__isnull=False)),
                name="couriers_opitem_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["job", "next_attempt_at"],
                condition=Q(outcome=ItemOutcome.WAITING),
                name="couriers_opitem_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.position}"
