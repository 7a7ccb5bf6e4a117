"""Which companies a member of staff is held to."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from couriers.models.company import Company


class StaffScope(models.Model):
    """Holds a user to some companies. A user without a scope sees all companies.

    One with a scope sees its companies only, also where it has none.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_scope"
    )
    companies = models.ManyToManyField(Company, related_name="+", blank=True)

    class Meta:
        verbose_name = "staff scope"

    def __str__(self) -> str:
        return f"companies of {self.user}"
