"""What was tried with an account, and how it ended: the last try of each kind."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from couriers.models.account import CourierAccount

MAX_SAID = 300  # characters


class CheckKind(models.TextChoices):
    """What an operator tries before a company ships with an account."""

    LOGIN = "login", "Login"
    CALLBACKS = "callbacks", "Registration of callbacks"
    TEST_CALLBACK = "test_callback", "Test callback"


class CheckOutcome(models.TextChoices):
    """How a try ended. NO_ANSWER says nothing of what was tried: the other side was away."""

    PASSED = "passed", "Passed"
    REFUSED = "refused", "Refused"
    NO_ANSWER = "no_answer", "No answer"
    NOT_OFFERED = "not_offered", "Not offered"


class AccountCheck(models.Model):
    """The last try of one kind.

    `said` is what the courier or the inbox said, without secrets. `about` is a keyed hash of what
    was tried, such as the login: a try of another one says nothing of the present one.
    """

    account = models.ForeignKey(CourierAccount, on_delete=models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=15, choices=CheckKind)
    outcome = models.CharField(max_length=15, choices=CheckOutcome)
    said = models.CharField(max_length=MAX_SAID, blank=True)
    about = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField("tried", default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("account", "kind")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"], name="couriers_one_check_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CheckKind.values), name="couriers_check_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=CheckOutcome.values), name="couriers_check_outcome_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of the {self.account}"
