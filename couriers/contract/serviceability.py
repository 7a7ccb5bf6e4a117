"""What a courier offers at a pincode, by what it says of its legs. Pure."""

from __future__ import annotations

from typing import Any

from couriers.contract import india
from couriers.contract.types import Serviceability


def served(
    pincode: str,
    *,
    prepaid: bool,
    cod: bool,
    pickup: bool,
    reverse: bool,
    state: str = "",
    **facts: Any,
) -> Serviceability:
    """Return a pincode with these legs; one without any is not served.

    `prepaid` and `cod` are deliveries, `pickup` is the first mile, `reverse` a return's pickup. A
    code of a state becomes its name. `facts` are other fields of Serviceability.
    """
    drop = prepaid or cod
    return Serviceability(
        pincode,
        serviceable=drop or pickup or reverse,
        cod=cod,
        forward_pickup=pickup,
        forward_drop=drop,
        reverse_pickup=reverse,
        state=india.state_name(state) or state,
        **facts,
    )
