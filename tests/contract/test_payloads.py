"""What bodies of calls are built with, and what is said of a pincode by its legs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from couriers.contract.payloads import given
from couriers.contract.serviceability import served


def test_what_is_not_given_is_left_out() -> None:
    fields = given(name="Asha", none=None, text="", no=False, zero=Decimal(0), rows=[], count=1)
    assert fields == {"name": "Asha", "count": 1}


@pytest.mark.parametrize("leg", ["prepaid", "cod", "pickup", "reverse"])
def test_a_pincode_with_one_leg_is_served(leg: str) -> None:
    none = dict.fromkeys(["prepaid", "cod", "pickup", "reverse"], False)
    assert not served("560001", **none).serviceable
    found = served("560001", **none | {leg: True}, state="MH", city="Pune")
    assert found.serviceable
    assert found.forward_drop == (leg in ("prepaid", "cod"))
    assert (found.cod, found.forward_pickup) == (leg == "cod", leg == "pickup")
    assert found.reverse_pickup == (leg == "reverse")
    assert (found.state, found.city) == ("Maharashtra", "Pune")


def test_a_state_that_is_not_known_stays_as_it_is() -> None:
    legs = dict.fromkeys(["prepaid", "cod", "pickup", "reverse"], True)
    assert served("560001", **legs, state="Atlantis").state == "Atlantis"
