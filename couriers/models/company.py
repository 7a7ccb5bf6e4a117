"""Merchants, and the API keys of their storefronts."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from couriers.models.rate_policy import InvalidRatePolicy, RatePolicy

pincode_validator = RegexValidator(
    r"^[1-9][0-9]{5}\Z", "A pincode is six digits, not starting with 0."
)
phone_validator = RegexValidator(r"^[1-9][0-9]{9}\Z", "Ten digits, without +91 or a leading 0.")


class Company(models.Model):
    """A merchant. `state` is the full name of the GST state; `phone` is ten digits."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    gstin = models.CharField("GSTIN", max_length=15, blank=True)
    address = models.CharField(max_length=500, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    pincode = models.CharField(max_length=6, blank=True, validators=[pincode_validator])
    phone = models.CharField(max_length=10, blank=True, validators=[phone_validator])
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
        try:
            RatePolicy.from_json(self.rate_policy)
        except InvalidRatePolicy as error:
            raise ValidationError({"rate_policy": str(error)}) from None


class CompanyApiKey(AbstractAPIKey):
    """An API key of one company. It is shown once, when it is created: only its hash is stored."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="api_keys")

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"
