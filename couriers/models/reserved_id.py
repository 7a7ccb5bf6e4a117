"""Numbers that were reserved with a courier, to book shipments with."""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.signals import pre_save
from django.dispatch import receiver

from couriers.contract.adapter import Capability
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.models.account import Courier, CourierAccount
from couriers.models.shipment import Shipment


class ReservedIdState(models.TextChoices):
    """Whether a number can still be used."""

    FREE = "free", "Free"
    TAKEN = "taken", "Taken"
    RETIRED = "retired", "Retired"


class ReservedId(models.Model):
    """One number, which is never fetched twice from a courier.

    A free one belongs to no shipment. A taken one belongs to one attempt to book a shipment, for
    ever. A retired one is never used: the courier refused it, or refused the booking that it was
    for, or its account has got another server or login. Free numbers are taken in the order of
    `use_from`, before which the courier may refuse them.
    """

    account = models.ForeignKey(
        CourierAccount, on_delete=models.CASCADE, related_name="reserved_ids"
    )
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=ReservedIdState, default=ReservedIdState.FREE)
    shipment = models.ForeignKey(
        Shipment, null=True, blank=True, on_delete=models.PROTECT, related_name="reserved_ids"
    )
    attempt = models.PositiveIntegerField(null=True, blank=True)
    fetched_at = models.DateTimeField("fetched")
    use_from = models.DateTimeField("best used from")
    state_at = models.DateTimeField("state since")

    class Meta:
        ordering = ("-id",)
        verbose_name = "reserved number"
        constraints = [
            models.UniqueConstraint(fields=["courier", "number"], name="couriers_reserved_once"),
            models.UniqueConstraint(
                fields=["shipment", "attempt"],
                condition=Q(state=ReservedIdState.TAKEN),
                name="couriers_one_reserved_per_attempt",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ReservedIdState.values), name="couriers_reserved_state_known"
            ),
            models.CheckConstraint(
                condition=Q(shipment__isnull=True, attempt__isnull=True)
                | Q(shipment__isnull=False, attempt__isnull=False),
                name="couriers_reserved_attempt_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReservedIdState.FREE) | Q(shipment__isnull=True),
                name="couriers_reserved_free_has_none",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReservedIdState.TAKEN) | Q(shipment__isnull=False),
                name="couriers_reserved_taken_has_one",
            ),
            models.CheckConstraint(condition=~Q(number=""), name="couriers_reserved_has_number"),
        ]
        indexes = [
            models.Index(
                fields=["account", "use_from", "id"],
                condition=Q(state=ReservedIdState.FREE),
                name="couriers_reserved_free",
            ),
            models.Index(fields=["number"], name="couriers_reserved_number"),
        ]

    def __str__(self) -> str:
        return self.number


def has_numbers(courier: str) -> bool:
    """Whether shipments of a courier (code) are booked with numbers that were reserved."""
    return courier in CourierFactory.codes() and (
        Capability.RESERVE_IDS in CourierFactory.adapter_class(courier).capabilities
    )


@receiver(pre_save, sender=CourierAccount)
def retire_numbers_of_another_login(
    instance: CourierAccount, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Retire the free numbers of an account that gets another server or login.

    A number of a courier's test server is none at its live one, nor one account's another's.
    """
    if instance._state.adding or not {"base_url", "login"} & {*(update_fields or ("login",))}:
        return
    if not has_numbers(instance.courier_id):
        return
    stored = CourierAccount.objects.filter(pk=instance.pk).first()
    try:
        if stored is None or {*stored.login_fingerprints()} & {*instance.login_fingerprints()}:
            return
    except UnreadableValue:  # it is the stored one
        return
    free = ReservedId.objects.filter(account=instance, state=ReservedIdState.FREE)
    free.update(state=ReservedIdState.RETIRED, state_at=Now())
