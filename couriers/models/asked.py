"""What is asked of a courier and may be answered later: the columns that all such rows have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from couriers.contract.signals import ActionOutcome
from couriers.models.fields import MAX_ERROR_TEXT

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class AskedState(models.TextChoices):
    """How far something is that was asked of a courier.

    `requested` is under way; once its lease has run out it is `unknown`. `accepted` will be done
    later. The others are ends: after `unknown` a person may ask again.
    """

    REQUESTED = "requested", "Requested"
    ACCEPTED = "accepted", "Accepted"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    UNKNOWN = "unknown", "Unknown"


OPEN = (AskedState.REQUESTED, AskedState.ACCEPTED)
ENDED = (AskedState.DONE, AskedState.REFUSED, AskedState.UNKNOWN)
_OUTCOMES = [
    (outcome.value, outcome.value.replace("_", " ").capitalize()) for outcome in ActionOutcome
]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a member of staff, a company by the key with this prefix, or the platform.

    `seen` is the version of the shipment (models.seen) on which a person decided. "" is any.
    """

    user: AbstractBaseUser | None = None
    key_prefix: str = ""
    seen: str = ""


PLATFORM = Asker()


class AskedOfCourier(models.Model):
    """Base of the rows that stand for one thing that was asked of a courier.

    `outcome` is how the last call ended, a value of ActionOutcome. `handle` is the courier's
    reference, `words` are its own, masked. Leases are on the database's clock.
    """

    state = models.CharField(max_length=10, choices=AskedState, default=AskedState.REQUESTED)
    outcome = models.CharField(max_length=10, choices=_OUTCOMES, blank=True)
    handle = models.CharField(max_length=200, blank=True)
    words = models.CharField("courier's words", max_length=MAX_ERROR_TEXT, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    key_prefix = models.CharField("asked with API key", max_length=20, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN

    @property
    def asker_kind(self) -> str:
        """Who asked, without a name: "operator", "api_key" or "platform"."""
        if self.asked_by_id is not None:
            return "operator"
        return "api_key" if self.key_prefix else "platform"


def asker_columns(by: Asker) -> dict[str, Any]:
    """Return the columns that store who asks."""
    return {"asked_by_id": by.user.pk if by.user else None, "key_prefix": by.key_prefix}


def asked_constraints(name: str) -> list[models.BaseConstraint]:
    """Return the constraints of a table of AskedOfCourier; their names begin with `name`."""
    return [
        models.CheckConstraint(
            condition=Q(state__in=AskedState.values), name=f"{name}_state_known"
        ),
        models.CheckConstraint(
            condition=~Q(state=AskedState.REQUESTED) | Q(lease_expires_at__isnull=False),
            name=f"{name}_requested_has_lease",
        ),
        models.CheckConstraint(
            condition=Q(state__in=ENDED, ended_at__isnull=False)
            | Q(state__in=OPEN, ended_at__isnull=True),
            name=f"{name}_ended_has_time",
        ),
    ]
