"""System checks of Ekart's settings."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, register

from couriers.conf import tunable_errors, tunables
from couriers_ekart.conf import EkartTunables


@register()
def check_tunables(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Report unknown keys (couriers_ekart.E001) and wrong values (couriers_ekart.E002)."""
    given = tunables().COURIERS.get("ekart", {})
    where = "SHIPCROWD['COURIERS']['ekart']"
    return tunable_errors(EkartTunables, given, where, "couriers_ekart")
