"""Fixtures of the tests of the inbox."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.models import Shipment
from tests.support.factories import ShipmentFactory


@pytest.fixture
def no_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no task for a stored callback; the test processes the inbox itself."""
    monkeypatch.setattr("webhooks.views.request_processing", lambda: None)


@pytest.fixture
def shipment(account: Any) -> Shipment:
    """A booked shipment of the toy courier's account."""
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
