"""Faults on request: which operations fail, how often, in which way, before or after their work."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from sandbox.operations import Handler

FaultAnswer = Callable[[], web.Response]

LONGEST_TIMEOUT = 120.0  # seconds that a fault `timeout_…` lasts, unless its client leaves first
STATUSES = (500, 502, 503, 504)  # what the faults `error_…` answer, in turn
EVERY = "*"
SLOW = "slow"


class Loss(enum.StrEnum):
    """The ways in which an answer is lost; each is a fault `…_before` and a fault `…_after`."""

    TIMEOUT = "timeout"
    RESET = "reset"
    ERROR = "error"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class OperationFault:
    """A failing answer that only one operation gives, made from the request that it answers."""

    operation: str
    answer: Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Calls of an operation that fail, as a rate from 0 to 1.

    `*` in the place of an operation or kind means every one. Raises ValueError for another rate.
    """

    operation: str
    kind: str
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("a rate is from 0 to 1")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `operation:kind:rate`. Raises ValueError."""
        try:
            operation, kind, rate = text.split(":")
            share = float(rate)
        except ValueError:
            raise ValueError("a fault is an operation, a kind and a rate") from None
        return cls(operation, kind, share)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def all_kinds(answers: Mapping[str, FaultAnswer | OperationFault]) -> tuple[str, ...]:
    """Every kind of fault of a courier that has these answers of its own."""
    losses = (f"{loss}_{when}" for loss in Loss for when in ("before", "after"))
    return (*losses, *answers, SLOW)


def check_kind(fault: Fault, kinds: Iterable[str]) -> Fault:
    """The fault. Raises ValueError if its kind is not one of these."""
    if fault.kind not in (EVERY, *kinds):
        raise ValueError(f"{fault.kind!r} is not a fault: * or one of {', '.join(kinds)}")
    return fault


def outcome_is_unknown(kind: str) -> bool:
    """Whether a client that meets such a fault cannot tell if the work was done."""
    return kind.endswith(("_before", "_after"))


class Faults:
    """Lets calls fail, always the same ones for the same seed.

    `answers` are the courier's own failing answers, by their kinds: of every operation, or of one.
    A name that ends in `_after` means that the work is done first, and with `_before` or `_after`
    the client cannot tell whether it was. `sample_body` is what a broken answer is half of where
    there is no true answer.
    """

    def __init__(
        self,
        answers: Mapping[str, FaultAnswer | OperationFault],
        *,
        sample_body: bytes,
        seed: int,
        slow_seconds: float,
    ) -> None:
        self.active: list[Fault] = []
        self.counts: Counter[str] = Counter()
        self._answers = answers
        self._kinds = all_kinds(answers)
        self._sample_body = sample_body
        self._seed = seed
        self._slow_seconds = slow_seconds
        self._calls: Counter[str] = Counter()

    def replace(self, faults: Iterable[Fault]) -> None:
        """Replace the active faults. Raises ValueError for an unknown kind."""
        self.active = [check_kind(fault, self._kinds) for fault in faults]

    @property
    def unknown_outcomes(self) -> int:
        """How many calls failed in a way that leaves the outcome unknown to the client."""
        return sum(n for name, n in self.counts.items() if outcome_is_unknown(name))

    async def apply(
        self, operation: str, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Handle a request of the operation, or let it fail."""
        self._calls[operation] += 1
        call_number = self._calls[operation]
        kind = self._draw(operation, call_number)
        if kind is None:
            return await handler(request)
        self.counts[f"{operation}:{kind}"] += 1
        if kind == SLOW:
            await asyncio.sleep(self._slow_seconds)
            return await handler(request)
        true_answer = await handler(request) if kind.endswith("_after") else None
        if own := self._answers.get(kind):
            return await own.answer(request) if isinstance(own, OperationFault) else own()
        return await self._lose(kind, call_number, request, true_answer)

    def _draw(self, operation: str, call_number: int) -> str | None:
        number = self._number(operation, call_number)
        for fault in self.active:
            if fault.operation not in (operation, EVERY):
                continue
            named = self._kinds if fault.kind == EVERY else (fault.kind,)
            kinds = [kind for kind in named if self._is_of(kind, operation)]
            share = fault.rate / len(kinds) if kinds else 0.0
            for kind in kinds:
                if number < share:
                    return kind
                number -= share
        return None

    def _is_of(self, kind: str, operation: str) -> bool:
        own = self._answers.get(kind)
        return not isinstance(own, OperationFault) or own.operation == operation

    def _number(self, operation: str, call_number: int) -> float:
        """From 0 to 1, evenly spread over the calls."""
        digest = hashlib.sha256(f"{self._seed}:{operation}:{call_number}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    async def _lose(
        self,
        kind: str,
        call_number: int,
        request: web.Request,
        true_answer: web.StreamResponse | None,
    ) -> web.StreamResponse:
        loss = Loss(kind.partition("_")[0])
        if loss is Loss.TIMEOUT:
            await _wait_for_the_client_to_leave(request)
            return reset_connection(request)
        if loss is Loss.RESET:
            return reset_connection(request)
        if loss is Loss.ERROR:
            status = STATUSES[call_number % len(STATUSES)]
            return web.Response(status=status, text="<html>upstream error</html>")
        if call_number % 2:
            return web.Response(text="<html>done</html>", content_type="text/html")
        return await self._cut_off(request, true_answer)

    async def _cut_off(
        self, request: web.Request, true_answer: web.StreamResponse | None
    ) -> web.StreamResponse:
        """The head of a good answer, and half of its body."""
        body = true_answer.body if isinstance(true_answer, web.Response) else None
        whole = body if isinstance(body, bytes) else self._sample_body
        kind = true_answer.content_type if true_answer is not None else "application/json"
        cut = web.StreamResponse(headers={"Content-Type": kind})
        cut.content_length = len(whole)
        await cut.prepare(request)
        await cut.write(whole[: len(whole) // 2])
        if request.transport is not None:
            request.transport.abort()
        return cut


async def _wait_for_the_client_to_leave(request: web.Request) -> None:
    for _ in range(int(LONGEST_TIMEOUT * 10)):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0.1)


def reset_connection(request: web.Request) -> web.Response:
    """Break the connection off with an RST."""
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
