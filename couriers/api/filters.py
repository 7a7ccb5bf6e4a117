"""Query parameters that filter the list of shipments."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from django_filters.utils import translate_validation
from rest_framework import exceptions
from rest_framework.request import Request

from couriers.booking.metadata import MAX_KEYS, MAX_VALUE, key_problem
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction, PaymentMode
from couriers.models import Courier, Shipment
from couriers.operations.needs_action import needing_action

MAX_TEXTS = 100  # values of one parameter
_METADATA = "metadata["
M = TypeVar("M", bound=Model)

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


class CourierFilter(filters.CharFilter):
    """The code of a courier of the platform."""

    def __init__(self) -> None:
        super().__init__(
            field_name="courier_id", lookup_expr="exact", max_length=30, validators=[_check_courier]
        )


class _TextsField(forms.MultipleChoiceField):
    """Texts of any content, each of at most `max_length` characters."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(**options)
        self.max_length = max_length

    def validate(self, value: list[str]) -> None:
        """Raise ValidationError for too many texts, and for one that is too long."""
        if len(value) > MAX_TEXTS:
            raise ValidationError(f"is given more than {MAX_TEXTS} times")
        if any(len(text) > self.max_length for text in value):
            raise ValidationError(f"has more than {self.max_length} characters")


class TextsFilter(filters.MultipleChoiceFilter):
    """A text that may be given several times, to match any of them."""

    field_class = _TextsField

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        """Return the rows whose column has one of the texts."""
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


class ShipmentFilter(filters.FilterSet):
    """Filters of the list of shipments. A parameter that may be repeated matches any of its values.

    `metadata[key]=value` matches shipments whose metadata has this value; of several, all must
    match.
    """

    status = filters.MultipleChoiceFilter(lookup_expr="exact", choices=Status.choices)
    direction = filters.ChoiceFilter(lookup_expr="exact", choices=Direction.choices)
    payment_mode = filters.ChoiceFilter(lookup_expr="exact", choices=PaymentMode.choices)
    courier = CourierFilter()
    order_number = TextsFilter(max_length=100)
    tracking_id = TextsFilter(max_length=100)
    waybill = TextsFilter(max_length=100)
    created_after = UtcDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = UtcDateTimeFilter(field_name="created_at", lookup_expr="lt")
    updated_after = UtcDateTimeFilter(field_name="updated_at", lookup_expr="gte")
    updated_before = UtcDateTimeFilter(field_name="updated_at", lookup_expr="lt")
    needs_action = filters.ChoiceFilter(
        method="filter_needs_action",
        choices=[("true", "true"), ("false", "false")],
        help_text="Whether somebody has to decide or to do something about it: an NDR, a booking "
        "in doubt, a parcel that was not picked up, or one with an open flag.",
    )

    class Meta:
        model = Shipment
        fields = ()

    @classmethod
    def takes(cls, name: str) -> bool:
        """Whether a query parameter is a filter by metadata."""
        return name.startswith(_METADATA) and name.endswith("]")

    def filter_needs_action(
        self, rows: QuerySet[Shipment], name: str, value: str
    ) -> QuerySet[Shipment]:
        """Return those that need somebody, or those that do not."""
        found = needing_action(rows)
        return rows.filter(pk__in=found) if value == "true" else rows.exclude(pk__in=found)

    def filter_queryset(self, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        """Apply the filters. Raises ValidationError naming a filter by metadata that is wrong."""
        found = super().filter_queryset(queryset)
        wanted = _wanted_metadata(self.data)
        if wanted:
            # The index has no shipments without metadata.
            found = found.filter(metadata__contains=wanted).exclude(metadata={})
        return found


def _wanted_metadata(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the metadata must contain. Raises ValidationError."""
    names = [name for name in given if ShipmentFilter.takes(name)]
    if "metadata" in given or len(names) > MAX_KEYS:
        message = f"is written metadata[key]=value, for at most {MAX_KEYS} keys"
        raise exceptions.ValidationError({"metadata": [message]})
    wanted = {name.removeprefix(_METADATA)[:-1]: given[name] for name in names}
    for key, value in wanted.items():
        problem = key_problem(key)
        if problem is None and len(value) > MAX_VALUE:
            problem = f"has a value of more than {MAX_VALUE} characters"
        if problem:
            raise exceptions.ValidationError({f"metadata.{key[:100]}": [problem]})
    return wanted


def filtered(
    request: Request, filterset_class: type[filters.FilterSet], rows: QuerySet[M]
) -> QuerySet[M]:
    """Return the rows that the query parameters choose. Raises ValidationError naming them."""
    filterset = filterset_class(request.query_params, queryset=rows, request=request)
    if not filterset.is_valid():
        raise translate_validation(filterset.errors)
    found: QuerySet[M] = filterset.qs
    return found
