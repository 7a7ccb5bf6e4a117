"""What a consignee reads of a parcel that Velocity booked with a carrier."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("vendor", "shown"),
    [
        ("Bluedart Surface", "Velocity (Blue Dart)"), ("Delhivery", "Velocity (Delhivery)"),
        ("A new carrier", "Velocity"),
    ],
)  # fmt: skip
def test_the_page_names_the_carrier_who_comes_to_the_door(vendor: str, shown: str) -> None:
    account = CourierAccountFactory(courier=CourierRowFactory(code="velocity", name="Velocity"))
    shipment = ShipmentFactory(account=account, status="in_transit", vendor=vendor)
    page = Client().get(f"/track/{shipment.pk}/").content.decode()
    assert " ".join(page.split()).partition("Sent with ")[2].startswith(f"{shown} ")
