"""Couriers, and the companies' accounts with them."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import IntegrityError, models
from django.db.models import Q
from django.utils import timezone

from couriers.conf import in_development, tunables
from couriers.contract.origins import Reach, origin_problem
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Limit
from couriers.models.addresses import callback_url
from couriers.models.company import Company
from couriers.models.fields import EncryptedJSONField, EncryptedTextField, readable_or
from couriers.models.ids import new_account_id
from couriers.models.logins import fingerprints, login_identity, login_problems
from couriers.models.modes import mode_field, refuse_live_server
from couriers.models.rollout import CourierRollout

LOGIN_CONSTRAINT = "couriers_one_account_per_login"


def courier_reach() -> Reach:
    """Return which addresses couriers may have here beside public ones."""
    return Reach(loopback=in_development(), private=tunables().ALLOW_PRIVATE_COURIERS)


def previous_secret_fields(
    secret: str, *, handover: dt.timedelta = dt.timedelta()
) -> dict[str, Any]:
    """Return the fields of an account that make this its previous webhook secret from now on.

    Its time begins after `handover`, in which the courier may still sign with it; "" ends it at
    once.
    """
    return {
        "previous_webhook_secret": secret,
        "previous_webhook_secret_at": timezone.now() + handover if secret else None,
    }


class Courier(models.Model):
    """A courier of the catalogue. Operators can switch off all new bookings with it.

    The roll-out says which companies may book with it (models/rollout.py). It is changed by
    operations/rollouts.py alone, which writes to the audit log.
    """

    code = models.SlugField(primary_key=True, max_length=30)
    name = models.CharField(max_length=100)
    is_enabled = models.BooleanField(
        "takes new bookings", default=True, help_text="Off stops every new booking at once."
    )
    rollout = models.CharField(
        "companies that may book",
        max_length=10,
        choices=CourierRollout,
        default=CourierRollout.ALL,
        db_default=CourierRollout.ALL.value,
        editable=False,
    )
    rollout_percentage = models.PositiveSmallIntegerField(
        "percentage of all companies",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(100)],
        editable=False,
    )
    rollout_companies = models.ManyToManyField(
        Company,
        verbose_name="named companies",
        blank=True,
        related_name="rollout_couriers",
        editable=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("code",)
        permissions = [("change_rollout", "Can change which companies may book with a courier")]
        constraints = [
            models.CheckConstraint(
                condition=Q(rollout__in=CourierRollout.values),
                name="couriers_courier_rollout_known",
                violation_error_message="Choose a roll-out of the list.",
            ),
            models.CheckConstraint(
                condition=Q(rollout_percentage__lte=100),
                name="couriers_courier_rollout_percentage",
                violation_error_message="The percentage must be 0 to 100.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Rollout(models.TextChoices):
    """Whether an account takes none, a share or all of the company's orders."""

    OFF = "off", "Off"
    CANARY = "canary", "Canary"
    LIVE = "live", "Live"


class CourierAccount(models.Model):
    """A company's login with a courier.

    `is_test` is chosen once: orders of test keys are booked with test accounts alone, and those of
    live keys with live ones. No test account is at a live server of its courier.
    `login` has the values of the courier's `login_fields` by name, encrypted as one. `limits`
    overrides the courier's rate limits by operation. `settings` holds choices that the courier's
    plug-in defines. No two accounts have one login. `save` raises ValidationError for a
    login that is another account's and for a new base URL that is refused, and keeps
    `login_fingerprint`. QuerySet.update() does none of it, so it must not write a login.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_account_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="accounts")
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="accounts")
    is_test = mode_field("For orders of test keys: the courier's staging system, or the sandbox.")
    base_url = models.URLField("base URL", max_length=300)
    login = EncryptedJSONField(default=dict, blank=True)
    webhook_secret = EncryptedTextField(blank=True, default="")
    # Both are set by previous_secret_fields() alone. Without the time the secret is not valid.
    previous_webhook_secret = EncryptedTextField(blank=True, default="")
    previous_webhook_secret_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The password hash of the webhook secret from the environment, as of the last seeding.
    seeded_secret_hash = models.CharField(max_length=128, default="", editable=False)
    # "" where an account had the login of another one before logins were compared.
    login_fingerprint = models.CharField(max_length=64, blank=True, default="", editable=False)
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
                fields=["company", "courier", "is_test"], name="couriers_one_account_per_courier"
            ),
            models.UniqueConstraint(
                fields=["courier", "login_fingerprint"],
                condition=~Q(login_fingerprint=""),
                name=LOGIN_CONSTRAINT,
                violation_error_message="Another account has this login.",
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
        kind = "test account" if self.is_test else "account"
        return f"{self.courier.name} {kind} of {self.company.name}"

    def save(self, *args: Any, **options: Any) -> None:
        """Save the account.

        Raises ValidationError for a new base URL that is refused, or where another account has its
        login.
        """
        if problem := self._new_base_url_problem(options.get("update_fields")):
            raise ValidationError({"base_url": problem})
        refuse_live_server(self)
        if (only := options.get("update_fields")) is None:
            self._take_login()
        elif {"courier", "courier_id", "base_url", "login"} & set(only):
            self._take_login()
            options["update_fields"] = {*only, "login_fingerprint"}
        try:
            super().save(*args, **options)
        except IntegrityError as error:
            if LOGIN_CONSTRAINT not in str(error):
                raise
            raise self._login_taken("another account") from error

    def clean(self) -> None:
        refuse_live_server(self)
        receiver = CourierFactory.receiver(self.courier_id)
        new_secret = self.webhook_secret if self._state.adding else ""
        problems = {
            "base_url": self._new_base_url_problem(),
            "settings": None if isinstance(self.settings, dict) else "must be an object",
            "webhook_secret": receiver.secret_problem(new_secret)
            if receiver and new_secret
            else None,
        }
        if found := {field: problem for field, problem in problems.items() if problem}:
            raise ValidationError(found)
        self._check_login()
        self._take_login()

    def _check_login(self) -> None:
        """Raise ValidationError for a login that its courier's fields do not allow.

        A login that no key opens is the stored one. That of a courier whose plug-in is not
        installed cannot be checked.
        """
        if self.courier_id not in CourierFactory.codes():
            return
        login = readable_or(self, "login", None)
        if login is None:
            return
        if not isinstance(login, dict) or not all(isinstance(v, str) for v in login.values()):
            raise ValidationError({"login": "must be an object of texts"})
        if wrong := login_problems(self.courier_id, login):
            raise ValidationError({"login": [f"{name} {text}" for name, text in wrong.items()]})

    def base_url_problem(self) -> str | None:
        """Return why the courier may not be called at the base URL, or None."""
        return origin_problem(self.base_url, courier_reach())

    def _new_base_url_problem(self, only: Collection[str] | None = None) -> str | None:
        """Return the problem of a base URL that is not stored yet; `only` are the saved fields.

        An account with one that was allowed before can still be changed, and switched off.
        """
        if only is not None and "base_url" not in only:
            return None
        problem = self.base_url_problem()
        if problem is None or self._state.adding:
            return problem
        same = CourierAccount.objects.filter(pk=self.pk, base_url=self.base_url)
        return None if same.exists() else problem

    def login_fingerprints(self) -> tuple[str, ...]:
        """Return the fingerprints of the login, the one to store first; () if it has none.

        Raises UnreadableValue where no key opens the login.
        """
        values = [self.login.get(name, "") for name in login_identity(self.courier_id)]
        return fingerprints(self.courier_id, self.base_url, values)

    def others_with_login(self) -> models.QuerySet["CourierAccount"]:
        """Return the other accounts that are stored with this account's login."""
        same = CourierAccount.objects.filter(
            courier_id=self.courier_id, login_fingerprint__in=self.login_fingerprints()
        )
        return same.exclude(pk=self.pk)

    def _take_login(self) -> None:
        """Set the fingerprint. Raises ValidationError for a new login that is another account's.

        A login that no key opens is the stored one, and keeps its fingerprint. So does that of a
        courier whose plug-in is not installed.
        """
        if self.courier_id not in CourierFactory.codes():
            return
        try:
            found = self.login_fingerprints()
        except UnreadableValue:
            return
        if self.login_fingerprint not in found and (other := self.others_with_login().first()):
            # An account that shared its login before this was refused can still be switched off.
            if not set(found) & self._stored_fingerprints():
                raise self._login_taken(f"account {other.pk}")
            found = ()
        self.login_fingerprint = next(iter(found), "")

    def _stored_fingerprints(self) -> set[str]:
        """Return the fingerprints of the login as it is stored; none of an unreadable one."""
        if self._state.adding:
            return set()
        try:
            return set(CourierAccount.objects.get(pk=self.pk).login_fingerprints())
        except UnreadableValue:
            return set()

    def _login_taken(self, owner: str) -> ValidationError:
        message = (
            f"This login is already that of {owner}. The courier would send the callbacks of each "
            "to both, so every account needs a login of its own."
        )
        return ValidationError({"login": ValidationError(message, code="login_taken")})

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the secrets that callbacks may be signed with now, the current one first.

        A previous one that no key opens is left out. Raises UnreadableValue for the current one.
        """
        until = self.previous_webhook_secret_until
        previous = ""
        if until and timezone.now() < until:
            previous = readable_or(self, "previous_webhook_secret", "")
        return tuple(secret for secret in (self.webhook_secret, previous) if secret)

    @property
    def previous_webhook_secret_until(self) -> dt.datetime | None:
        """Return the end of the previous secret, which may have passed; None where there is none.

        It is WEBHOOK_PREVIOUS_SECRET_SECONDS after the secret was replaced.
        """
        if self.previous_webhook_secret_at is None:
            return None
        if not readable_or(self, "previous_webhook_secret", "unreadable"):
            return None
        life = dt.timedelta(seconds=tunables().WEBHOOK_PREVIOUS_SECRET_SECONDS)
        return self.previous_webhook_secret_at + life

    @property
    def webhook_url(self) -> str:
        """Return the URL to which the courier sends callbacks. Raises NoAddress."""
        return callback_url(self.courier_id, self.pk)

    def topic_url(self, topic: Topic) -> str:
        """Return the URL of a topic that has a path of its own. Raises NoAddress."""
        return callback_url(self.courier_id, self.pk, topic.value)

    def limit_of(self, operation: str, default: Limit) -> Limit:
        """Return the account's limit of an operation: its own count and window, or the default."""
        if own := self.limits.get(operation):
            return replace(default, count=int(own["count"]), window=float(own["window"]))
        return default
