"""The parts of a shipment as it is answered. couriers.booking.answers makes the answer itself."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from couriers.api.fields import decimal


class ShipmentConsigneeSerializer(serializers.Serializer[Any]):
    """The consignee of a shipment. All is "" once it has been erased, but state and pincode."""

    name = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    address = serializers.CharField()
    landmark = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    pincode = serializers.CharField()


class ShipmentItemSerializer(serializers.Serializer[Any]):
    """A line of the order. `value` is the total of the line in rupees, with GST."""

    name = serializers.CharField()
    sku = serializers.CharField()
    category = serializers.CharField()
    hsn_code = serializers.CharField()
    quantity = serializers.IntegerField()
    value = decimal()
    gst_rate = decimal(5)


class ShipmentParcelSerializer(serializers.Serializer[Any]):
    """The parcel's weight in grams and its sizes in centimetres."""

    weight_g = serializers.IntegerField()
    length_cm = serializers.IntegerField()
    width_cm = serializers.IntegerField()
    height_cm = serializers.IntegerField()


class PriceSerializer(serializers.Serializer[Any]):
    """The company's price in rupees: base + markup + fee + gst + rounding = total."""

    base = decimal()
    markup = decimal()
    fee = decimal()
    gst = decimal()
    rounding = decimal()
    total = decimal()


class ShipmentPriceSerializer(serializers.Serializer[Any]):
    """What the company pays: by the quote that it booked with, and by the courier's charges.

    `quoted` is null where it was booked without a quote, `booked` where there are no charges.
    """

    quoted = PriceSerializer(allow_null=True)
    booked = PriceSerializer(allow_null=True)


class TotalSerializer(serializers.Serializer[Any]):
    """How many shipments the filters leave. Where it is not `exact`, there are more than that."""

    count = serializers.IntegerField()
    exact = serializers.BooleanField()
