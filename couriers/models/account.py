"""Couriers, and the companies' accounts with them."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from fernet_fields import EncryptedTextField

from couriers.contract.accounts import base_url_problem
from couriers.contract.types import Limit
from couriers.models.addresses import callback_url
from couriers.models.company import Company
from couriers.models.ids import new_account_id


class Courier(models.Model):
    """A courier of the catalogue. Operators can switch off all new bookings with it."""

    code = models.SlugField(primary_key=True, max_length=30)
    name = models.CharField(max_length=100)
    is_enabled = models.BooleanField(
        "takes new bookings", default=True, help_text="Off stops every new booking at once."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class Rollout(models.TextChoices):
    """Whether an account takes none, a share or all of the company's orders."""

    OFF = "off", "Off"
    CANARY = "canary", "Canary"
    LIVE = "live", "Live"


class CourierAccount(models.Model):
    """A company's login with a courier.

    `limits` overrides the courier's rate limits by operation. `settings` holds choices that the
    courier's plug-in defines.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_account_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="accounts")
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="accounts")
    base_url = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    username = EncryptedTextField()
    password = EncryptedTextField()
    webhook_secret = EncryptedTextField(blank=True, default="")
    previous_webhook_secret = EncryptedTextField(blank=True, default="")
    # The password hash of the webhook secret from the environment, as of the last seeding.
    seeded_secret_hash = models.CharField(max_length=128, default="", editable=False)
    rollout = models.CharField(max_length=10, choices=Rollout, default=Rollout.LIVE)
    canary_percent = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(100)],
        help_text="Share of the company's orders that a canary account takes, in per cent.",
    )
    limits = models.JSONField(
        default=dict,
        blank=True,
        help_text='Own limits, such as {"create_shipment": {"count": 200, "window": 1}}.',
    )
    settings = models.JSONField(
        default=dict, blank=True, help_text="What the courier's plug-in lets an account choose."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("company", "courier")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "courier"], name="couriers_one_account_per_courier"
            ),
            models.CheckConstraint(
                condition=Q(rollout__in=Rollout.values),
                name="couriers_account_rollout_known",
                violation_error_message="The rollout must be off, canary or live.",
            ),
            models.CheckConstraint(
                condition=Q(canary_percent__lte=100),
                name="couriers_account_canary_percent",
                violation_error_message="The share of a canary account must be 0 to 100 per cent.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company_id}/{self.courier_id}"

    def clean(self) -> None:
        problems = {
            "base_url": base_url_problem(self.base_url),
            "settings": None if isinstance(self.settings, dict) else "must be an object",
        }
        if found := {field: problem for field, problem in problems.items() if problem}:
            raise ValidationError(found)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the secrets that callbacks may be signed with, the current one first."""
        return tuple(s for s in (self.webhook_secret, self.previous_webhook_secret) if s)

    @property
    def webhook_url(self) -> str:
        """Return the URL to which the courier sends callbacks. Raises NoAddress."""
        return callback_url(self.courier_id, self.pk)

    def own_limit(self, operation: str) -> Limit | None:
        """Return the account's own limit of an operation; None means the courier's default."""
        own = self.limits.get(operation)
        return Limit(count=int(own["count"]), window=float(own["window"])) if own else None
