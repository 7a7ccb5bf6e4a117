"""The tracking page is in English, whatever languages the project has."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from couriers.models.addresses import path_of
from tests.support.factories import ShipmentFactory


@pytest.mark.django_db
def test_days_are_named_in_english_in_a_german_project(account: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    shipment = ShipmentFactory(
        account=account,
        warehouse=account.company.warehouses.get(),
        estimated_delivery=dt.datetime(2026, 10, 7, 6, tzinfo=dt.UTC),
    )
    page = Client().get(path_of("couriers_tracking:page", shipment.pk)).content.decode()
    assert "Wednesday, 7 October" in page
