"""Couriers that a rule asks in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from couriers.models import Company
from tests.support.fail_over import Asked, asked_in_turn


@pytest.fixture
def two(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    """Two couriers that a rule asks in turn, also after a doubt."""
    with asked_in_turn(company, "one", "two", book_after_doubt=True) as asked:
        yield asked
