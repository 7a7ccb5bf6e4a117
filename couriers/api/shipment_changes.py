"""The body of a change of a shipment. What belongs to an action is refused with its path."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from couriers.api.metadata import MetadataChangeField
from couriers.api.serializers import MAX_EMAIL, StrictSerializer
from couriers.operations.merchant_changes import ShipmentChange

_BY_ADDRESS = "is changed by POST /api/v1/shipments/{id}/address/"
_BY_BOOKING = (
    "cannot be changed: cancel the shipment by POST /api/v1/shipments/{id}/cancel/, and book the "
    "order again"
)
_BY_COURIER = "is the courier's: its actions change it (actions_allowed of the shipment)"


class _ChangeSerializer(StrictSerializer):
    """Says of what cannot be changed how it is."""

    elsewhere: ClassVar[dict[str, str]] = {}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            named = {name: [self.elsewhere[name]] for name in data if name in self.elsewhere}
            if named:
                raise serializers.ValidationError(named)
        return super().to_internal_value(data)


class ConsigneeChangeSerializer(_ChangeSerializer):
    """What may change of the consignee. The courier does not get the e-mail once it has booked."""

    email = serializers.CharField(max_length=MAX_EMAIL, allow_blank=True, required=False)
    elsewhere: ClassVar = {
        **dict.fromkeys(("name", "phone", "address", "landmark"), _BY_ADDRESS),
        **dict.fromkeys(("city", "state", "pincode"), _BY_BOOKING),
    }


class ShipmentChangeSerializer(_ChangeSerializer):
    """What may change of a shipment at any time. A member that is left out stays as it is."""

    metadata = MetadataChangeField(required=False)
    consignee = ConsigneeChangeSerializer(required=False)
    elsewhere: ClassVar = {
        **dict.fromkeys(("status", "tracking_id", "waybill"), _BY_COURIER),
        **dict.fromkeys(
            (
                "courier", "order_number", "order_date", "payment_mode", "cod_amount", "items",
                "parcel", "warehouse", "service", "invoice_number", "invoice_date", "options",
            ),
            _BY_BOOKING,
        ),
    }  # fmt: skip

    def change(self) -> ShipmentChange:
        """The validated request as it is applied."""
        data = self.validated_data
        return ShipmentChange(data.get("metadata", {}), data.get("consignee", {}).get("email"))
