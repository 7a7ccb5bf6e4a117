"""Query parameters that filter the list of shipments."""

import datetime as dt
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, PaymentMode
from couriers.models import Courier, Shipment

END_OF_OFFSETS = dt.timedelta(hours=16)  # PostgreSQL reads smaller ones


class _UtcDateTimeField(IsoDateTimeField):
    default_error_messages: ClassVar = {
        "invalid": "is not a time like 2026-11-25T10:30:00Z",
        "offset": "has an offset that no place has",
    }

    def to_python(self, value: Any) -> Any:
        """The time in UTC. Raises ValidationError for one that PostgreSQL would refuse."""
        with timezone.override(dt.UTC):
            moment = super().to_python(value)
        if moment is None:
            return None
        try:
            if abs(moment.utcoffset()) >= END_OF_OFFSETS:
                raise ValidationError(self.error_messages["offset"], "offset")
            return moment.astimezone(dt.UTC)
        except OverflowError:  # before the year 1 or after 9999 in UTC
            raise ValidationError(self.error_messages["invalid"], "invalid") from None


def _check_courier(code: str) -> None:
    """Raise ValidationError for a courier that the platform does not have, and never had."""
    if code not in CourierFactory.codes() and not Courier.objects.filter(code=code).exists():
        raise ValidationError("is not a courier of this platform")


class UtcDateTimeFilter(filters.IsoDateTimeFilter):
    """An ISO 8601 time. Without an offset it is UTC, as all times of the API are."""

    field_class = _UtcDateTimeField


class ShipmentFilter(filters.FilterSet):
    """Filters of the list of shipments. `status` may be given several times to match any."""

    status = filters.MultipleChoiceFilter(lookup_expr="exact", choices=Status.choices)
    direction = filters.ChoiceFilter(lookup_expr="exact", choices=Direction.choices)
    payment_mode = filters.ChoiceFilter(lookup_expr="exact", choices=PaymentMode.choices)
    courier = filters.CharFilter(
        field_name="courier_id", lookup_expr="exact", max_length=30, validators=[_check_courier]
    )
    order_number = filters.CharFilter(lookup_expr="exact", max_length=100)
    tracking_id = filters.CharFilter(lookup_expr="exact", max_length=100)
    created_after = UtcDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = UtcDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Shipment
        fields = ()
