"""Rows of a busy day, for the pictures of the operators' pages."""

from __future__ import annotations

import datetime as dt
import random

from django.utils import timezone

from couriers.models import CourierAccount, DayFigure, Scan, Shipment
from couriers.operations.day_figures import last_days
from tests.support.factories import ShipmentFactory
from tests.support.work import make_work

PLACES = (
    ("Asha Rao", "Pune", "Maharashtra", "411004"),
    ("Vikram Shah", "Ahmedabad", "Gujarat", "380009"),
    ("Meera Nair", "Kochi", "Kerala", "682016"),
    ("Imran Khan", "Lucknow", "Uttar Pradesh", "226001"),
    ("Lakshmi Iyer", "Chennai", "Tamil Nadu", "600017"),
)
REASONS = ("Customer Not Available", "Address Issue", "Customer Refused")


def make_busy_day(account: CourierAccount) -> Shipment:
    """Create a row for each work list, a queue of NDRs, and the figures of 30 days.

    Returns a shipment with scans.
    """
    make_work(account)
    now = timezone.now()
    warehouse = account.company.warehouses.first()
    for number, (name, city, state, pincode) in enumerate(PLACES):
        last = ShipmentFactory(
            account=account, warehouse=warehouse, status="undelivered", consignee_name=name,
            consignee_city=city, consignee_state=state, consignee_pincode=pincode,
            ndr_reason=REASONS[number % 3], delivery_attempts=1 + number % 2,
            status_at=now - dt.timedelta(hours=3 + 7 * number), courier_status=REASONS[number % 3],
        )  # fmt: skip
    for hours, status, word, place in (
        (52, "picked_up", "Shipment picked up", "Bengaluru"),
        (30, "in_transit", "In transit", "Hyderabad"),
        (8, "out_for_delivery", "Out for delivery", "Chennai"),
        (3, "undelivered", "Customer Not Available", "Chennai"),
    ):
        Scan.objects.create(
            shipment=last, at=now - dt.timedelta(hours=hours), status=status, courier_status=word,
            location=place,
        )  # fmt: skip
    _count_days(account)
    return last


def _count_days(account: CourierAccount) -> None:
    chance = random.Random(30)
    for day in last_days(30):
        booked = chance.randint(180, 320)
        counted = {"day": day, "counted_at": timezone.now()}
        DayFigure.objects.update_or_create(day=day, company=None, courier=None, defaults=counted)
        DayFigure.objects.update_or_create(
            day=day, company=account.company, courier=account.courier,
            defaults=counted | {
                "booked": booked, "delivered": int(booked * chance.uniform(0.7, 0.9)),
                "undelivered": chance.randint(15, 40), "returned": chance.randint(4, 16),
            },
        )  # fmt: skip
