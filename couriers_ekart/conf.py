"""The settings of the plug-in, which are in SHIPCROWD["COURIERS"]["ekart"]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from couriers.conf import bounded, build_tunables, tunables


@dataclass(frozen=True, slots=True)
class EkartTunables:
    """What a deployment may set for Ekart. Times are seconds."""

    CONNECT_TIMEOUT: float = bounded(3.05, minimum=0.01)
    READ_TIMEOUT: float = bounded(20.0, minimum=0.01)
    # The time-outs of the auth call must add up to less than TOKEN_LOCK_LIFE.
    AUTH_READ_TIMEOUT: float = bounded(8.0, minimum=0.01)
    TOKEN_EARLY_REFRESH: float = 60.0
    TOKEN_LOCK_LIFE: float = 30.0
    TOKEN_LOCK_WAIT: float = 10.0
    POOL_SIZE: int = bounded(64, minimum=1)
    # The document names neither the signature's header nor its encoding: these are from practice.
    SIGNATURE_HEADERS: tuple[str, ...] = ("x-ekart-signature",)
    SIGNATURE_ENCODINGS: tuple[str, ...] = ("hex",)
    # The `billingClientType` of /data/pricing/estimate.
    BILLING_CLIENT_TYPE: str = "EXISTING_CLIENT"
    # Which list of pincodes is loaded: NON_LARGE or LARGE.
    SERVICEABILITY_TYPE: str = "NON_LARGE"


@lru_cache(maxsize=1)
def ekart_tunables() -> EkartTunables:
    """Return the plug-in's settings; what is not set has its default."""
    return build_tunables(EkartTunables, tunables().COURIERS.get("ekart", {}))


def _clear_cache(*, setting: str, **_: Any) -> None:
    if setting == "SHIPCROWD":
        ekart_tunables.cache_clear()


setting_changed.connect(_clear_cache)
