"""Faults on request: which calls of a stand-in fail, how often, and in which way. Pure."""

from __future__ import annotations

import enum
import hashlib
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

EVERY = "*"


class FaultKind(enum.StrEnum):
    """How a call fails: `…_before` its work is done, or `…_after`.

    TIMEOUT never answers. RESET breaks the connection off. ERROR is one of 500, 502, 503 and 504
    with a page of a proxy, BROKEN is 200 with such a page. HALF is half of the true answer, DRIP
    the true answer a byte at a time, HUGE an answer that does not end. RATE_LIMITED is 429. ECHO is
    400 with all that was sent, as some couriers' error pages have it.
    """

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    BROKEN_BEFORE = "broken_before"
    BROKEN_AFTER = "broken_after"
    HALF_AFTER = "half_after"
    DRIP_AFTER = "drip_after"
    HUGE_AFTER = "huge_after"
    RATE_LIMITED = "rate_limited"
    ECHO = "echo"

    @property
    def is_lossy(self) -> bool:
        """Whether a client that meets it cannot tell if the work was done."""
        return self not in (FaultKind.RATE_LIMITED, FaultKind.ECHO)


LOSSY = tuple(kind for kind in FaultKind if kind.is_lossy)


@dataclass(frozen=True, slots=True)
class Fault:
    """A share (`rate`, 0 to 1) of an operation's calls that fail.

    `*` in the place of an operation or kind means every one. Raises ValueError for another rate or
    an unknown kind.
    """

    operation: str
    kind: str
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("a rate is from 0 to 1")
        if self.kind != EVERY:
            FaultKind(self.kind)

    def kinds(self) -> tuple[FaultKind, ...]:
        """Return the kinds that it draws from."""
        return tuple(FaultKind) if self.kind == EVERY else (FaultKind(self.kind),)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class FaultPlan:
    """Draws the faults of calls, always the same ones for the same seed. Threads may share it."""

    def __init__(self, seed: int = 0) -> None:
        self.active: tuple[Fault, ...] = ()
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def replace(self, faults: Iterable[Fault]) -> None:
        """Replace the active faults."""
        self.active = tuple(faults)

    def draw(self, operation: str) -> FaultKind | None:
        """Return how the next call of the operation fails, None if it does not."""
        with self._lock:
            self._calls[operation] += 1
            kind = self._draw(operation, self._number(operation))
            if kind:
                self.counts[f"{operation}:{kind}"] += 1
        return kind

    def _draw(self, operation: str, number: float) -> FaultKind | None:
        for fault in self.active:
            if fault.operation not in (operation, EVERY):
                continue
            if number < fault.rate:
                kinds = fault.kinds()
                return kinds[int(number / fault.rate * len(kinds))]
            number -= fault.rate
        return None

    def _number(self, operation: str) -> float:
        """From 0 to 1, evenly spread over the calls."""
        text = f"{self._seed}:{operation}:{self._calls[operation]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
