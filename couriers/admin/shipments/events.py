"""The events that storefronts read and are sent."""

from __future__ import annotations

from couriers.admin.base import ReadOnlyAdmin
from couriers.admin.registration import page
from couriers.models import Event


@page(Event)
class EventAdmin(ReadOnlyAdmin):
    """What a storefront was told. Without a position nobody has read the event yet."""

    company_path = "company"
    list_display = ("id", "type", "company", "shipment", "is_test", "position", "created_at")
    list_filter = ("type", "is_test", "created_at")
    search_fields = ("=id", "=shipment__id")
    list_select_related = ("company", "shipment")
