"""Faults to order: how often which operation fails, how, and whether before or after its work."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LONGEST_HOLD = 120.0  # seconds that a timed-out call is held open, if its client does not leave
STATUSES = (500, 502, 503, 504)


class Kind(enum.StrEnum):
    """A way to fail. "Before" leaves the work undone, "after" does it first."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    BROKEN_BEFORE = "broken_before"
    BROKEN_AFTER = "broken_after"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    SLOW = "slow"

    @property
    def is_after(self) -> bool:
        return self.endswith("_after")

    @property
    def is_unknown(self) -> bool:
        """Whether the client cannot tell if the work was done."""
        return self not in (Kind.RATE_LIMITED, Kind.UNAUTHORIZED, Kind.SLOW)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for an operation to fail, at a rate of 0 to 1. `*` means every operation or kind."""

    operation: str
    kind: str
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("a rate is from 0 to 1")
        if self.kind != "*" and self.kind not in set(Kind):
            raise ValueError(f"{self.kind!r} is not a fault: * or one of {', '.join(Kind)}")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `operation:kind:rate`. Raises ValueError."""
        operation, kind, rate = text.split(":")
        return cls(operation, kind, float(rate))

    def kinds(self) -> Iterable[tuple[Kind, float]]:
        """Each kind it stands for with its share of the rate."""
        kinds = list(Kind) if self.kind == "*" else [Kind(self.kind)]
        return [(kind, self.rate / len(kinds)) for kind in kinds]

    def as_json(self) -> dict[str, Any]:
        return {"operation": self.operation, "kind": self.kind, "rate": self.rate}


class Faults:
    """Draws lots: the same for the same seed, operation and number of the call."""

    def __init__(self, faults: Iterable[Fault], seed: int, slow_seconds: float) -> None:
        self.faults = list(faults)
        self.counts: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._seed = seed
        self._slow_seconds = slow_seconds

    @property
    def unknown(self) -> int:
        """How many calls were left in the dark about their outcome."""
        return sum(n for name, n in self.counts.items() if Kind(name.split(":")[1]).is_unknown)

    async def apply(
        self, operation: str, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Handle a request, or fail as the lot says."""
        self._calls[operation] += 1
        number = self._calls[operation]
        kind = self._draw(operation, number)
        if kind is None:
            return await handler(request)
        self.counts[f"{operation}:{kind}"] += 1
        if kind is Kind.SLOW:
            await asyncio.sleep(self._slow_seconds)
            return await handler(request)
        if kind is Kind.RATE_LIMITED:
            return web.json_response(
                _error(429, "TOO_MANY_REQUESTS"), status=429, headers={"Retry-After": "1"}
            )
        if kind is Kind.UNAUTHORIZED:
            return web.json_response(_error(401, "SWIFT_UNAUTHORIZED"), status=401)
        answer = await handler(request) if kind.is_after else None
        return await self._lose(kind, number, request, answer)

    def _draw(self, operation: str, number: int) -> Kind | None:
        lot = self._lot(operation, number)
        for fault in self.faults:
            if fault.operation not in (operation, "*"):
                continue
            for kind, rate in fault.kinds():
                if lot < rate:
                    return kind
                lot -= rate
        return None

    def _lot(self, operation: str, number: int) -> float:
        digest = hashlib.sha256(f"{self._seed}:{operation}:{number}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    async def _lose(
        self, kind: Kind, number: int, request: web.Request, answer: web.StreamResponse | None
    ) -> web.StreamResponse:
        if kind in (Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER):
            await _hold(request)
            return _reset(request)
        if kind in (Kind.RESET_BEFORE, Kind.RESET_AFTER):
            return _reset(request)
        if kind in (Kind.ERROR_BEFORE, Kind.ERROR_AFTER):
            status = STATUSES[number % len(STATUSES)]
            return web.Response(status=status, text="<html>upstream error</html>")
        if number % 2:
            return web.Response(text="<html>done</html>", content_type="text/html")
        return await _truncated(request, answer)


async def _hold(request: web.Request) -> None:
    """Say nothing until the client has left."""
    for _ in range(int(LONGEST_HOLD * 10)):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0.1)


def _reset(request: web.Request) -> web.Response:
    """Break the connection off with an RST."""
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
    """A good answer's head, and half of its body."""
    body = answer.body if isinstance(answer, web.Response) else None
    whole = body if isinstance(body, bytes) else b'{"status": true, "tracking_id": "'
    kind = answer.content_type if answer is not None else "application/json"
    cut = web.StreamResponse(headers={"Content-Type": kind})
    cut.content_length = len(whole)
    await cut.prepare(request)
    await cut.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.abort()
    return cut


def _error(status: int, code: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "code": code,
        "message": code,
        "description": "An injected fault",
        "severity": "ERROR",
    }
