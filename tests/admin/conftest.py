"""Fixtures of the tests of the admin."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import Shipment
from tests.support.drafts import DRAFT, raising


@pytest.fixture
def doubtful(account: Any, toy: Any) -> Shipment:
    """A shipment in doubt: the courier's answer was lost."""
    toy.on_create = raising(Unknown("read time-out"))
    return book(account.company, DRAFT).shipment
