"""What a list of shipments may be narrowed by."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from couriers.contract.statuses import Status
from couriers.contract.types import Direction, PaymentMode
from couriers.models import Shipment


class _MomentField(IsoDateTimeField):
    def to_python(self, value: Any) -> Any:
        with timezone.override(dt.UTC):
            return super().to_python(value)


class MomentFilter(filters.IsoDateTimeFilter):
    """A time without an offset is UTC, as all times of the API are."""

    field_class = _MomentField


class ShipmentFilter(filters.FilterSet):
    """`status` may be given several times; times are ISO 8601, UTC where they name no offset."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    direction = filters.ChoiceFilter(choices=Direction.choices)
    payment_mode = filters.ChoiceFilter(choices=PaymentMode.choices)
    courier = filters.CharFilter(field_name="courier_id", max_length=30)
    order_number = filters.CharFilter(max_length=100)
    tracking_id = filters.CharFilter(max_length=100)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Shipment
        fields = ()
