"""Bodies that the API's modules share. Every field of a request has a type and a bound."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Self

from rest_framework import serializers

from couriers.api.fields import day, decimal, moment, optional_text, pincode, rupees, text
from couriers.api.json_types import type_problem
from couriers.api.metadata import MetadataField
from couriers.api.shipment_parts import (
    BookingAttemptSerializer,
    ChoiceSerializer,
    ShipmentConsigneeSerializer,
    ShipmentItemSerializer,
    ShipmentParcelSerializer,
    ShipmentPriceSerializer,
    TotalSerializer,
)
from couriers.api.strictness import unknown_fields
from couriers.booking.drafts import MAX_LANDMARK
from couriers.contract.actions import ActionKind
from couriers.contract.registry import AUTO
from couriers.contract.statuses import Status
from couriers.contract.types import (
    MAX_SERVICE,
    Address,
    Item,
    Parcel,
    PaymentMode,
    ShipmentDraft,
)
from couriers.models import Shipment
from couriers.rates.quotes import MAX_LENGTH as MAX_QUOTE

MAX_OPTIONS_LENGTH = 10_000  # characters of JSON
MAX_EMAIL = 254  # characters


class StrictSerializer(serializers.Serializer[Any]):
    """The base of every request. A field that is unknown or read-only is refused by its name."""

    default_error_messages: ClassVar = {"invalid": "must be an object"}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Validate a request's data; return its serializer. Raises ValidationError by field."""
        serializer = cls(data=data)
        # The framework copies every field for a new serializer. One that has read no data of its
        # own may have those of another one.
        serializer.fields = cls._shared_fields()
        serializer.is_valid(raise_exception=True)
        return serializer

    @classmethod
    @cache
    def _shared_fields(cls) -> Any:
        """Return the fields of a serializer of the class, made once: nothing writes to them."""
        return cls().fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields = self.fields
            problems = unknown_fields(data.keys() - fields.keys(), "is not a field of this object")
            problems |= unknown_fields(
                [name for name in data if name in fields and fields[name].read_only],
                "cannot be set",
            )
            if problems:
                raise serializers.ValidationError(problems)
            self._check_types(data)
        return super().to_internal_value(data)

    def _check_types(self, data: dict[str, Any]) -> None:
        """Raise ValidationError for values of another JSON type than the schema describes."""
        wrong: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name not in data or field.read_only:
                continue
            if problem := type_problem(field, data[name]):
                wrong[name] = [problem]
            elif isinstance(field, serializers.ListField) and isinstance(data[name], list):
                parts = enumerate(type_problem(field.child, part) for part in data[name])
                if in_list := {number: [problem] for number, problem in parts if problem}:
                    wrong[name] = in_list
        if wrong:
            raise serializers.ValidationError(wrong)


class ConsigneeSerializer(StrictSerializer):
    """The person who receives the parcel. Phone and pincode may be written in any usual form."""

    name = text(200)
    phone = text(60)
    address = text(500)
    city = optional_text(100)
    state = optional_text(100)
    pincode = pincode()
    landmark = optional_text(MAX_LANDMARK)
    email = optional_text(MAX_EMAIL)


class ItemSerializer(StrictSerializer):
    """A line of the order. `value` is the total of the line in rupees, with GST."""

    name = text(200)
    sku = optional_text(100)
    category = optional_text(100)
    hsn_code = optional_text(10)
    quantity = serializers.IntegerField(min_value=1, max_value=100_000)
    value = rupees()
    gst_rate = decimal(5, min_value=Decimal(0), max_value=Decimal(100))


class ParcelSerializer(StrictSerializer):
    """The parcel's weight in grams and its sizes in centimetres."""

    weight_g = serializers.IntegerField(min_value=1, max_value=1_000_000)
    length_cm = serializers.IntegerField(min_value=1, max_value=1_000)
    width_cm = serializers.IntegerField(min_value=1, max_value=1_000)
    height_cm = serializers.IntegerField(min_value=1, max_value=1_000)


class OptionsField(serializers.DictField):
    """Options of one courier, as a JSON object. The courier's plug-in validates them."""

    def to_internal_value(self, data: Any) -> Any:
        if len(json.dumps(data, default=str)) > MAX_OPTIONS_LENGTH:
            raise serializers.ValidationError(f"is longer than {MAX_OPTIONS_LENGTH} characters")
        return super().to_internal_value(data)


class ShipmentDraftSerializer(StrictSerializer):
    """A shipment to book."""

    courier = text(
        30,
        required=False,
        allow_blank=True,
        default=AUTO,
        help_text="Left out, or `auto`: the company's rules choose it.",
    )
    order_number = text(100)
    order_date = day()
    payment_mode = serializers.ChoiceField(choices=PaymentMode.choices)
    cod_amount = rupees(required=False, default=Decimal(0))
    consignee = ConsigneeSerializer()
    items = serializers.ListField(child=ItemSerializer(), min_length=1, max_length=100)
    parcel = ParcelSerializer()
    warehouse = optional_text(40)
    service = optional_text(MAX_SERVICE)
    quote = optional_text(MAX_QUOTE)
    invoice_number = optional_text(100)
    invoice_date = day(required=False, allow_null=True, default=None)
    options = OptionsField(required=False, default=dict)
    metadata = MetadataField(required=False, default=dict)

    def draft(self) -> ShipmentDraft:
        """The validated request as booking takes it."""
        data = self.validated_data
        return ShipmentDraft(
            courier=data["courier"],
            order_number=data["order_number"],
            order_date=data["order_date"],
            payment_mode=PaymentMode(data["payment_mode"]),
            cod_amount=data["cod_amount"],
            consignee=Address(**data["consignee"]),
            items=tuple(Item(**item) for item in data["items"]),
            parcel=Parcel(**data["parcel"]),
            warehouse_id=data["warehouse"],
            service=data["service"],
            quote=data["quote"],
            invoice_number=data["invoice_number"],
            invoice_date=data["invoice_date"],
            options=data["options"],
            metadata=data["metadata"],
        )


class FieldWarningSerializer(serializers.Serializer[Any]):
    """What is likely wrong with a field of an order that was booked all the same."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ChargesSerializer(serializers.Serializer[Any]):
    """What the courier asks for a shipment, in rupees. `total` includes GST.

    `gst` and `billed_weight_g` are null where the courier does not name them.
    """

    total = decimal()
    gst = decimal(allow_null=True)
    parts = serializers.DictField(child=serializers.CharField())
    billed_weight_g = serializers.IntegerField(allow_null=True)


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    """A shipment."""

    # This class is for the schema alone: couriers.booking.answers makes the response.

    is_test = serializers.BooleanField()
    courier = serializers.CharField()
    original = serializers.CharField(allow_null=True)
    warehouse = serializers.CharField()
    warnings = FieldWarningSerializer(many=True)
    charges = ChargesSerializer(allow_null=True)
    price = ShipmentPriceSerializer()
    choice = ChoiceSerializer(allow_null=True, help_text="Why it has its courier. Null if named.")
    consignee = ShipmentConsigneeSerializer()
    items = ShipmentItemSerializer(many=True)
    parcel = ShipmentParcelSerializer()
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    booking_attempts = BookingAttemptSerializer(
        many=True, help_text="With whom the order was to be booked, the present attempt last."
    )
    attempts = serializers.IntegerField(
        allow_null=True, help_text="Attempts to deliver it, null where the courier names none."
    )
    delivered_at = moment(allow_null=True)
    tracking_url = serializers.URLField()
    actions_allowed = serializers.ListField(
        child=serializers.ChoiceField(choices=ActionKind.choices),
        help_text="What the courier takes now, by its rules.",
    )

    class Meta:
        model = Shipment
        fields = (
            "id", "is_test", "courier", "order_number", "order_date", "direction", "original",
            "status", "courier_status", "ndr_reason", "failure", "warnings", "tracking_id",
            "waybill", "vendor", "service", "courier_order_id", "courier_tracking_url", "charges",
            "price", "choice", "warehouse", "consignee", "items", "parcel", "invoice_number",
            "invoice_date", "return_reason", "metadata", "payment_mode", "cod_amount",
            "total_amount", "taxable_amount", "tax_amount", "booking_attempts", "attempts",
            "delivered_at", "estimated_delivery", "erased_at", "tracking_url", "actions_allowed",
            "created_at", "updated_at",
        )  # fmt: skip


class ShipmentRowSerializer(ShipmentSerializer):
    """A shipment in a list. The consignee is there where `expand` asks for it."""

    consignee = ShipmentConsigneeSerializer(allow_null=True)


class ShipmentPageSerializer(serializers.Serializer[Any]):
    """A page of shipments. `next` is null on the last page, `total` where nobody asked for it."""

    results = ShipmentRowSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    total = TotalSerializer(allow_null=True)


class ScanSerializer(serializers.Serializer[Any]):
    """A scan. `status` is null where the platform does not know the courier's word for it.

    `courier_type` and `courier_code` are what a courier has beside its word, "" where it has none.
    """

    at = moment()
    status = serializers.ChoiceField(choices=Status.choices, allow_null=True)
    courier_type = serializers.CharField()
    courier_status = serializers.CharField()
    courier_code = serializers.CharField()
    ndr_reason = serializers.CharField()
    location = serializers.CharField()
    description = serializers.CharField()
    ignored = serializers.BooleanField()


class ProblemFieldSerializer(serializers.Serializer[Any]):
    """A field of the request and what is wrong with it."""

    field = serializers.CharField()
    message = serializers.CharField()
