"""Merchants, and the API keys of their storefronts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from couriers.contract import india
from couriers.models.fields import EncryptedCharField
from couriers.models.key_format import BEGINNINGS, MAX_NETWORKS, KeyManager
from couriers.models.modes import mode_field
from couriers.models.rate_policy import InvalidRatePolicy, RatePolicy

pincode_validator = RegexValidator(
    r"^[1-9][0-9]{5}\Z", "A pincode is six digits, not starting with 0."
)
phone_validator = RegexValidator(r"^[1-9][0-9]{9}\Z", "Ten digits, without +91 or a leading 0.")
# A mobile, a landline or a toll-free number, as people write it.
support_phone_validator = RegexValidator(
    r"^\+?[0-9](?:[ -]?[0-9]){4,14}\Z",
    "Five to fifteen digits, with blanks or hyphens between; + before a country's code.",
)


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

    Phone and address are encrypted. The support phone, e-mail and page are public: the tracking
    page of each parcel shows them.
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
    support_phone = models.CharField(
        max_length=25, blank=True, default="", db_default="", validators=[support_phone_validator],
        help_text="Whom consignees call. Public: tracking pages show it.",
    )  # fmt: skip
    support_email = models.EmailField(
        "support e-mail", blank=True, default="", db_default="",
        help_text="Where consignees write to. Public: tracking pages show it.",
    )  # fmt: skip
    support_url = models.CharField(
        "support page", max_length=200, blank=True, default="", db_default="",
        validators=[URLValidator(schemes=("https", "http"))],
        help_text="The shop's page for questions, such as https://shop.example/help. Public: "
        "tracking pages lead to it.",
    )  # fmt: skip
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

    A test key begins with `sk_test_`, a live one with `sk_live_`, and each is for rows of its mode.
    `allowed_networks` are the networks that it may be used from; without any, from everywhere.
    `last_used_at` may be a minute behind.
    """

    objects: ClassVar[KeyManager] = KeyManager()

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="api_keys")
    is_test = mode_field("A test key books with test accounts, and sees test rows alone.")
    scopes = ArrayField(
        models.CharField(max_length=10, choices=Scope),
        default=every_scope,
        help_text="What the key may be used for.",
    )
    allowed_networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        db_default=[],
        blank=True,
        size=MAX_NETWORKS,
        help_text="Networks it may be used from, as 203.0.113.0/24; from everywhere without any.",
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
        indexes = [models.Index(fields=["company", "-created"], name="couriers_key_company")]

    @property
    def begins_with(self) -> str:
        """Return how the key begins: enough to tell it from others, and no secret."""
        return f"{BEGINNINGS[self.is_test]}{self.prefix}"

    def has_scope(self, scope: str) -> bool:
        """Whether the key may be used for it."""
        return scope in self.scopes
