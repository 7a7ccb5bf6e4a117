"""Query parameters that filter the list of shipments."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from couriers.contract.statuses import Status
from couriers.contract.types import Direction, PaymentMode
from couriers.models import Shipment


class _UtcDateTimeField(IsoDateTimeField):
    def to_python(self, value: Any) -> Any:
        with timezone.override(dt.UTC):
            return super().to_python(value)


class UtcDateTimeFilter(filters.IsoDateTimeFilter):
    """An ISO 8601 time. Without an offset it is UTC, as all times of the API are."""

    field_class = _UtcDateTimeField


class ShipmentFilter(filters.FilterSet):
    """Filters of the list of shipments. `status` may be given several times to match any."""

    status = filters.MultipleChoiceFilter(lookup_expr="exact", choices=Status.choices)
    direction = filters.ChoiceFilter(lookup_expr="exact", choices=Direction.choices)
    payment_mode = filters.ChoiceFilter(lookup_expr="exact", choices=PaymentMode.choices)
    courier = filters.CharFilter(field_name="courier_id", lookup_expr="exact", max_length=30)
    order_number = filters.CharFilter(lookup_expr="exact", max_length=100)
    tracking_id = filters.CharFilter(lookup_expr="exact", max_length=100)
    created_after = UtcDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = UtcDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Shipment
        fields = ()
