"""Warehouses, and their registrations with couriers."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from couriers.contract.types import Address, Pickup
from couriers.models.account import CourierAccount
from couriers.models.company import Company, phone_validator, pincode_validator, place_problems
from couriers.models.fields import EncryptedCharField
from couriers.models.ids import new_warehouse_id
from couriers.models.modes import mode_field

# Why a registration is pending again; it is shown to people, and no code compares it.
ADDRESS_CHANGED = "The address has changed. The next booking registers the new one."
REFERENCE_LENGTH, REASON_LENGTH = 200, 500  # characters
ONE_DEFAULT = "couriers_one_default_warehouse"
NEEDS_DEFAULT = "is the company's default: make another warehouse the default instead"


class Warehouse(models.Model):
    """A pickup address of a company. `state` is a full name, `phone` ten digits.

    `email` is for couriers that ask for one, and may be "". It, phone and address are encrypted. A
    company has one default warehouse for live orders and one for test orders. Saving another one as
    the default replaces it.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_warehouse_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="warehouses")
    is_test = mode_field("For test orders alone.")
    name = models.CharField(max_length=100)
    contact_name = models.CharField(max_length=100)
    phone = EncryptedCharField(max_length=10, validators=[phone_validator])
    email = EncryptedCharField(
        "e-mail",
        max_length=254,
        blank=True,
        default="",
        validators=[EmailValidator()],
        help_text="Of the people there. Some couriers want one.",
    )
    address = EncryptedCharField(max_length=500)
    city = models.CharField(max_length=100)
    state = models.CharField(max_length=100)
    pincode = models.CharField(max_length=6, validators=[pincode_validator])
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("company", "name")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "name", "is_test"], name="couriers_warehouse_name"
            ),
            models.UniqueConstraint(
                fields=["company", "is_test"],
                condition=Q(is_default=True),
                name=ONE_DEFAULT,
                violation_error_message="The company has another default warehouse.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the warehouse. A new default takes the place of the former one.

        Registrations of another address than its present one are pending.
        """
        with transaction.atomic():
            if self.is_default:
                # The lock keeps two defaults from being saved at the same time.
                Company.objects.select_for_update(no_key=True).get(pk=self.company_id)
                others = Warehouse.objects.filter(company=self.company_id, is_test=self.is_test)
                others = others.exclude(pk=self.pk)
                others.filter(is_default=True).update(is_default=False)
            super().save(*args, **kwargs)
            present = self.as_pickup().address.fingerprint()
            former = self.registrations.exclude(address_hash=present)
            former.exclude(state=RegistrationState.PENDING).update(
                state=RegistrationState.PENDING, reason=ADDRESS_CHANGED, updated_at=timezone.now()
            )

    def clean(self) -> None:
        """Raise ValidationError for an impossible place.

        Also where the company would be left without its default warehouse.
        """
        problems = place_problems(self.state, self.pincode, self.phone)
        if not self.is_default and self.is_stored_default():
            problems["is_default"] = NEEDS_DEFAULT
        if problems:
            raise ValidationError(problems)

    def is_stored_default(self) -> bool:
        """Whether the row is the default in the database."""
        return Warehouse.objects.filter(pk=self.pk, is_default=True).exists()

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[Any]]]:
        """The constraints to validate, without that of the default, which `save` keeps."""
        return [
            (model, [one for one in constraints if one.name != ONE_DEFAULT])
            for model, constraints in super().get_constraints()
        ]

    def as_pickup(self, reference: str = "") -> Pickup:
        """Return the warehouse as the contract's dataclass."""
        return Pickup(
            warehouse_id=self.pk,
            reference=reference,
            email=self.email,
            address=Address(
                name=self.contact_name,
                phone=self.phone,
                address=self.address,
                city=self.city,
                state=self.state,
                pincode=self.pincode,
            ),
        )


class RegistrationState(models.TextChoices):
    """Whether the courier knows a warehouse.

    IN_DOUBT is one that the courier may have registered, where asking again could register it
    twice: a person gives its reference.
    """

    PENDING = "pending", "Pending"
    SYNCED = "synced", "Synced"
    FAILED = "failed", "Failed"
    IN_DOUBT = "in_doubt", "In doubt"


class WarehouseRegistration(models.Model):
    """An account's registration of a warehouse with the courier.

    `reference` is the courier's name for the warehouse, which the courier or a person gave. Once
    stored, it is never computed again.
    `address_hash` is the fingerprint of the address that was registered.
    """

    account = models.ForeignKey(
        CourierAccount, on_delete=models.CASCADE, related_name="registrations"
    )
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE, related_name="registrations")
    reference = models.CharField(max_length=REFERENCE_LENGTH, blank=True)
    state = models.CharField(
        max_length=10, choices=RegistrationState, default=RegistrationState.PENDING
    )
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    address_hash = models.CharField(max_length=64, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [("give_reference", "Can give a courier's reference of a warehouse")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "warehouse"], name="couriers_one_registration"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RegistrationState.values),
                name="couriers_registration_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state=RegistrationState.SYNCED) | ~Q(reference=""),
                name="couriers_synced_has_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.warehouse.name} at {self.account.courier.name}"
