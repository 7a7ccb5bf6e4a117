"""What a list of shipments may be narrowed by."""

from django_filters import rest_framework as filters

from couriers.models import Shipment
from couriers.statuses import Status
from couriers.types import Direction, PaymentMode


class ShipmentFilter(filters.FilterSet):
    """`status` may be given several times; times are ISO 8601."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    direction = filters.ChoiceFilter(choices=Direction.choices)
    payment_mode = filters.ChoiceFilter(choices=PaymentMode.choices)
    courier = filters.CharFilter(field_name="courier_id", max_length=30)
    order_number = filters.CharFilter(max_length=100)
    tracking_id = filters.CharFilter(max_length=100)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Shipment
        fields = ()
