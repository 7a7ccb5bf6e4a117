"""Idempotency keys: a request that a storefront sends twice books once."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db import models
from django.db.models import Q

from couriers.contract.platform_errors import UnreadableValue
from couriers.models.company import Company
from couriers.models.fields import EncryptedBytesField
from couriers.models.modes import mode_field
from couriers.models.shipment import Shipment


class KeyScope(models.TextChoices):
    """What a key is: the client's own, or the number of an order that is booked without one."""

    CLIENT = "client", "Idempotency-Key"
    FORWARD = "forward", "Order number"
    REVERSE = "reverse", "Number of a return"


class IdempotencyKey(models.Model):
    """A key of one company, and the booking that was requested with it.

    A client's key never stands for an order number, and so the two have scopes of their own. So
    have test and live bookings.

    `fingerprints` holds a keyed hash of each field of the request. The hashes show which fields of
    another request with the same key differ, although the request itself is not stored. The
    response is stored as the bytes that were sent, and replayed. It has the consignee's data, so
    it is encrypted.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=10, choices=KeyScope, default=KeyScope.CLIENT)
    is_test = mode_field()
    key = models.CharField(max_length=255)
    fingerprints = models.JSONField()
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="keys")
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = EncryptedBytesField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "scope", "key", "is_test"], name="couriers_one_use_of_a_key"
            ),
            models.CheckConstraint(
                condition=Q(scope__in=KeyScope.values), name="couriers_key_scope_known"
            ),
            models.CheckConstraint(
                condition=Q(response_status__isnull=True, response_body__isnull=True)
                | Q(response_status__isnull=False, response_body__isnull=False),
                name="couriers_answer_whole_or_none",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="couriers_key_created"),
            models.Index(fields=["key"], name="couriers_key_key"),  # operators look for one
        ]

    def __str__(self) -> str:
        return self.key

    def answer(self) -> bytes | None:
        """Return the stored response, None before there is one. Raises UnreadableValue."""
        sealed: Any = self.response_body
        if sealed is None:
            return None
        try:
            return bytes(sealed.open())
        except InvalidToken:
            raise UnreadableValue("idempotencykey", "response_body", self.pk) from None
