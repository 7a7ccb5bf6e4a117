"""The settings that every courier called over HTTP has, in SHIPCROWD["COURIERS"][code].

A plug-in with settings of its own extends HttpTunables, names the class in its adapter's
`tunables`, and reads it with `of`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from couriers.conf import bounded, courier_tunables
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory


@dataclass(frozen=True, slots=True)
class HttpTunables:
    """What a deployment may set for a courier. Times are seconds."""

    CONNECT_TIMEOUT: float = bounded(3.05, minimum=0.01)
    READ_TIMEOUT: float = bounded(20.0, minimum=0.01)
    # The time-outs of the auth call must add up to less than TOKEN_LOCK_LIFE.
    AUTH_READ_TIMEOUT: float = bounded(8.0, minimum=0.01)
    TOKEN_EARLY_REFRESH: float = 60.0
    TOKEN_LOCK_LIFE: float = 30.0
    TOKEN_LOCK_WAIT: float = 10.0
    POOL_SIZE: int = bounded(64, minimum=1)

    @classmethod
    def of(cls, courier: str) -> Self:
        """Return a courier's settings as this class; what is not set has its default."""
        return courier_tunables(courier, cls)

    def answer_time(self, read_timeout: float | None) -> float:
        """Return the seconds that an answer may take: READ_TIMEOUT, or an operation's own time.

        An operation's own is for the courier's default of READ_TIMEOUT, and changes with the
        setting.
        """
        if read_timeout is None:
            return self.READ_TIMEOUT
        default: Any = next(one.default for one in fields(self) if one.name == "READ_TIMEOUT")
        return read_timeout * self.READ_TIMEOUT / default

    def longest_call(self, read_timeout: float | None = None) -> float:
        """Return the seconds that one call can last, for `max_create_seconds`.

        This is the time to connect and to read the whole answer, and READ_TIMEOUT as a margin.
        """
        return self.CONNECT_TIMEOUT + self.answer_time(read_timeout) + self.READ_TIMEOUT


def tunables_class(courier: str) -> type:
    """Return the class of a courier's settings: its adapter's `tunables`, or HttpTunables."""
    try:
        return CourierFactory.adapter_class(courier).tunables or HttpTunables
    except UnknownCourier:
        return HttpTunables


def http_tunables(courier: str) -> HttpTunables:
    """Return a courier's settings; what is not set has its default."""
    kind = tunables_class(courier)
    return courier_tunables(courier, kind if issubclass(kind, HttpTunables) else HttpTunables)
