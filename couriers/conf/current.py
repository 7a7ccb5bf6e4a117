"""The tunables as the project's settings have them now."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.signals import setting_changed

from couriers.conf.checking import build_tunables
from couriers.conf.platform import Tunables

T = TypeVar("T")


@lru_cache(maxsize=1)
def tunables() -> Tunables:
    """Return the platform's tunables."""
    return build_tunables(Tunables, getattr(settings, "SHIPCROWD", {}))


# By courier and class: the plug-in's tunables.
_of_couriers: dict[tuple[str, type], Any] = {}


def courier_tunables(code: str, kind: type[T]) -> T:
    """Return a courier's tunables, SHIPCROWD["COURIERS"][code], as the dataclass `kind`."""
    key = (code, kind)
    if key not in _of_couriers:
        _of_couriers[key] = build_tunables(kind, tunables().COURIERS.get(code, {}))
    found: T = _of_couriers[key]
    return found


def in_development() -> bool:
    """Whether this installation is for development: by DEBUG, or by DEVELOPMENT.

    Then a courier's server may be on this machine, over http too, and /metrics needs no token.
    """
    return bool(settings.DEBUG) or tunables().DEVELOPMENT


def _clear_cached_tunables(*, setting: str, **_: Any) -> None:
    """Have `tunables` read the settings again after a test has changed them."""
    if setting == "SHIPCROWD":
        tunables.cache_clear()
        _of_couriers.clear()


setting_changed.connect(_clear_cached_tunables)
