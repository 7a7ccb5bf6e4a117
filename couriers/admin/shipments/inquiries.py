"""What couriers said of bookings in doubt, and the numbers that were reserved with them."""

from __future__ import annotations

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.registration import page
from couriers.models import DoubtInquiry, ReservedId


@page(DoubtInquiry)
class DoubtInquiryAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = (
        "shipment", "attempt", "last_answer", "asked", "absences", "last_asked_at",
        "next_attempt_at",
    )  # fmt: skip
    list_filter = ("last_answer", "created_at")
    search_fields = ("=shipment__id",)
    list_select_related = ("shipment",)


@page(ReservedId)
class ReservedIdAdmin(ReadOnlyAdmin):
    company_path = "account__company"
    list_display = ("number", "account", "state", "shipment", "attempt", "fetched_at", "state_at")
    list_filter = ("state", "fetched_at")
    search_fields = ("=number", "=shipment__id")
    list_select_related = ("account__company", "account__courier", "shipment")
