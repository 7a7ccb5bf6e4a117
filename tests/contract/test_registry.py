"""The registry of couriers and its cached adapters."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory


def test_an_unknown_courier_is_refused_with_the_registered_couriers(toy: Any) -> None:
    assert {"ekart", "toy"} <= set(CourierFactory.codes())
    assert CourierFactory.adapter_class("toy") is toy
    with pytest.raises(UnknownCourier, match=r"unknown courier 'dhl' \(known: .*ekart.*toy"):
        CourierFactory.adapter_class("dhl")


def test_an_adapter_is_cached_until_the_cache_is_cleared(account: Any) -> None:
    first = CourierFactory.get_adapter(account)
    assert CourierFactory.get_adapter(account) is first
    CourierFactory.clear_adapters()
    assert CourierFactory.get_adapter(account) is not first
