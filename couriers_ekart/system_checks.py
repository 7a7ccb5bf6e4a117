"""System checks of Ekart's settings."""

from __future__ import annotations

import os
from typing import Any

from django.core.checks import CheckMessage, Error, register

from couriers.conf import tunable_errors, tunables
from couriers.contract.origins import origin_problem
from couriers.models.plugin_hooks import courier_reach
from couriers_ekart.conf import EkartTunables


@register()
def check_tunables(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Report unknown keys (couriers_ekart.E001) and wrong values (couriers_ekart.E002)."""
    given = tunables().COURIERS.get("ekart", {})
    where = "SHIPCROWD['COURIERS']['ekart']"
    return tunable_errors(EkartTunables, given, where, "couriers_ekart")


@register()
def check_base_url(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Report an EKART_BASE_URL to which no login may be sent (couriers_ekart.E003)."""
    url = os.environ.get("EKART_BASE_URL", "")
    problem = origin_problem(url, courier_reach()) if url else None
    if problem is None:
        return []
    return [
        Error(
            f"EKART_BASE_URL {problem}",
            hint="Set the https:// URL that Ekart gave you, or leave it unset.",
            id="couriers_ekart.E003",
        )
    ]
