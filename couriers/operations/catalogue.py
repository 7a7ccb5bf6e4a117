"""The courier catalogue: one row for each courier that a plug-in registered."""

from __future__ import annotations

from couriers.contract.registry import CourierFactory
from couriers.models import Courier


def seed_catalogue() -> tuple[list[str], list[str]]:
    """Add the registered couriers; return the codes that were added and those known before.

    The name of a known courier is updated from its plug-in. Whether it takes bookings is not
    changed: operators decide that.
    """
    added: list[str] = []
    known: list[str] = []
    for code in CourierFactory.codes():
        name = CourierFactory.adapter_class(code).name
        _, is_new = Courier.objects.update_or_create(code=code, defaults={"name": name})
        (added if is_new else known).append(code)
    return added, known
