"""The parts of a shipment as it is answered. couriers.booking.answers makes the answer itself."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from couriers.api.fields import decimal, moment
from couriers.booking.offers import NoQuote
from couriers.models.call import Outcome
from couriers.models.rule_terms import Strategy


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


class BookingAttemptSerializer(serializers.Serializer[Any]):
    """An attempt to book the order with a courier, and how it ended.

    `outcome` is `ok` where it is booked, `pending` while it is under way, `unknown` where it is in
    doubt, or was and turned out not to be booked; the others booked nothing. `reason` says why.
    `tracking_id` of an attempt before the present one is that of a parcel which its courier turned
    out to have, and `cancelled_at` says when that parcel was cancelled.
    """

    number = serializers.IntegerField()
    courier = serializers.CharField()
    service = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    reason = serializers.CharField()
    started_at = moment()
    ended_at = moment(allow_null=True)
    tracking_id = serializers.CharField()
    cancelled_at = moment(allow_null=True)


class CandidateSerializer(serializers.Serializer[Any]):
    """A courier that can take the order. `price` and `days` are null where none was asked for."""

    courier = serializers.CharField()
    service = serializers.CharField()
    price = decimal(allow_null=True, help_text="The company's, in rupees.")
    days = serializers.IntegerField(allow_null=True)


class PassedOverSerializer(serializers.Serializer[Any]):
    """A courier that could not take the order, and why."""

    courier = serializers.CharField()
    reason = serializers.ChoiceField(choices=NoQuote.choices)
    detail = serializers.CharField()


class ChoiceSerializer(serializers.Serializer[Any]):
    """The choice of a courier: the candidates as they are asked to book, and who was passed over.

    `rule` is null where no rule of the company holds. `fail_over` says whether the next candidate
    is asked after one that surely did not book, `after_doubt` whether also once a doubt has been
    settled as not booked.
    """

    rule = serializers.CharField(allow_null=True)
    rule_name = serializers.CharField()
    strategy = serializers.ChoiceField(choices=Strategy.choices)
    fail_over = serializers.BooleanField()
    after_doubt = serializers.BooleanField()
    candidates = CandidateSerializer(many=True)
    passed_over = PassedOverSerializer(many=True)


class TotalSerializer(serializers.Serializer[Any]):
    """How many shipments the filters leave. Where it is not `exact`, there are more than that."""

    count = serializers.IntegerField()
    exact = serializers.BooleanField()
