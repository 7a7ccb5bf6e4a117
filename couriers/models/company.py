"""Merchants, and the API keys of their storefronts."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from couriers.contract import india
from couriers.models.fields import EncryptedCharField
from couriers.models.rate_policy import InvalidRatePolicy, RatePolicy

pincode_validator = RegexValidator(
    r"^[1-9][0-9]{5}\Z", "A pincode is six digits, not starting with 0."
)
phone_validator = RegexValidator(r"^[1-9][0-9]{9}\Z", "Ten digits, without +91 or a leading 0.")


def place_problems(state: str, pincode: str, phone: str) -> dict[str, str]:
    """Return what is wrong with a state, pincode and phone, by field. Blank ones are not checked.

    The state must have its official name: the tax of a booking depends on it.
    """
    problems = {}
    name = india.state_name(state)
    if state and name != state:
        problems["state"] = f"write it as {name}" if name else "is not a state of India"
    elif state and (problem := india.state_contradiction(pincode, state)):
        problems["state"] = problem
    if phone and (problem := india.single_phone_problem(phone)):
        problems["phone"] = problem
    return problems


class Company(models.Model):
    """A merchant. `state` is the full name of the GST state; `phone` is ten digits.

    Phone and address are encrypted.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    gstin = models.CharField("GSTIN", max_length=15, blank=True)
    address = EncryptedCharField(max_length=500, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    pincode = models.CharField(max_length=6, blank=True, validators=[pincode_validator])
    phone = EncryptedCharField(max_length=10, blank=True, validators=[phone_validator])
    rate_policy = models.JSONField(
        default=dict,
        blank=True,
        help_text="What the company pays on top of a courier's quote, such as "
        '{"markup_percent": "10", "flat_fee": "5.00", "gst_percent": "18", "round_to": "1.00"}.',
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "companies"
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        problems = place_problems(self.state, self.pincode, self.phone)
        if self.gstin and (problem := india.seller_gstin_problem(self.gstin)):
            problems["gstin"] = problem
        try:
            RatePolicy.from_json(self.rate_policy)
        except InvalidRatePolicy as error:
            problems["rate_policy"] = str(error)
        if problems:
            raise ValidationError(problems)


class Scope(models.TextChoices):
    """What an API key may be used for. A scope includes no other one."""

    READ = "read", "Read: shipments, scans, labels, jobs, serviceability"
    BOOK = "book", "Book: rates, shipments, bulk jobs, returns"
    OPERATE = "operate", "Operate: cancel, reattempt, RTO, address, warehouses, products, manifests"


def every_scope() -> list[str]:
    """Return the scopes of a key for which none are chosen: all."""
    return list(Scope.values)


class CompanyApiKey(AbstractAPIKey):
    """An API key of one company. It is shown once, when it is created: only its hash is stored.

    `last_used_at` may be a minute behind.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="api_keys")
    scopes = ArrayField(
        models.CharField(max_length=10, choices=Scope),
        default=every_scope,
        help_text="What the key may be used for.",
    )
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values, scopes__len__gte=1),
                name="couriers_api_key_scopes_known",
                violation_error_message="A key needs at least one of the scopes.",
            ),
        ]

    def has_scope(self, scope: str) -> bool:
        """Whether the key may be used for it."""
        return scope in self.scopes
