"""The indexes of the first page, and those by which people find shipments and filter lists."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from couriers.contract.statuses import NEEDS_ACTION, Status
from couriers.contract.types import Direction

# Members of staff find a shipment of any company (operations/finding.py). Of names the beginnings
# are looked for, and a user who is held to companies sees theirs alone.
FINDING = (
    models.Index(fields=["order_number"], name="couriers_ship_any_order"),
    models.Index(
        fields=["tracking_id"], condition=~Q(tracking_id=""), name="couriers_ship_any_tracking"
    ),
    models.Index(fields=["waybill"], condition=~Q(waybill=""), name="couriers_ship_any_waybill"),
    models.Index(
        fields=["phone_hash"], condition=~Q(phone_hash=""), name="couriers_ship_any_phone"
    ),
    models.Index(
        OpClass(Upper("consignee_name"), name="text_pattern_ops"),
        F("company"),
        name="couriers_ship_name",
    ),
)
# The filters of their list, each with the list's order. An id says when the shipment was made, so
# that each of them serves a range of days, too. Where few rows have the value, the company stands
# last: it is compared in the index, so that no row of another company is read.
FILTERS = (
    models.Index(fields=["status", "-id"], name="couriers_ship_any_status"),
    models.Index(fields=["courier", "-id"], name="couriers_ship_courier"),
    models.Index(
        fields=["ndr_reason", "-id", "company"],
        condition=~Q(ndr_reason=""),
        name="couriers_ship_ndr",
    ),
    models.Index(
        fields=["-id", "company"],
        condition=Q(direction=Direction.REVERSE),
        name="couriers_ship_reverse",
    ),
    # Test rows are few, so a list of them alone and their purge need an index of their own.
    models.Index(fields=["company", "-id"], condition=Q(is_test=True), name="couriers_ship_test"),
)
# Filters and orders of a storefront's list of its company's shipments.
STOREFRONT = (
    models.Index(fields=["company", "updated_at", "id"], name="couriers_ship_updated"),
    GinIndex(
        OpClass("metadata", name="jsonb_path_ops"),
        name="couriers_ship_metadata",
        condition=~Q(metadata={}),
    ),
)
# The first page counts these.
TODAY = (
    # Few shipments have these statuses at a time, and the first page counts them.
    models.Index(
        fields=["status", "created_at"],
        include=["company", "status_at", "is_test"],
        condition=Q(status__in=sorted({*NEEDS_ACTION, Status.FAILED})),
        name="couriers_ship_work",
    ),
    # Few orders are asked for a second time, and the first page counts those of a day.
    models.Index(
        fields=["created_at"],
        include=["company", "courier", "is_test"],
        condition=Q(attempt__gt=1),
        name="couriers_ship_asked_again",
    ),
    # The figures of a day are counted from these alone.
    models.Index(
        fields=["booked_at"],
        include=["company", "courier", "is_test"],
        condition=Q(booked_at__isnull=False),
        name="couriers_ship_booked_day",
    ),
    models.Index(
        fields=["status_at"],
        include=["company", "courier", "is_test"],
        condition=Q(status=Status.DELIVERED),
        name="couriers_ship_delivered_day",
    ),
)
