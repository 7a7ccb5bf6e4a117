"""Delivery of callbacks, repeated until they are taken. Bodies and signatures are the courier's."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from sandbox.draws import draw

CONCURRENCY = 16
TIMEOUT_SECONDS = 15
# The pauses before a callback is sent again, in seconds.
PAUSES = tuple(min(5.0, 0.2 * 2**attempt) for attempt in range(9))


@dataclass(frozen=True, slots=True)
class _Callback:
    url: str
    body: bytes
    headers: Mapping[str, str]
    pauses: Sequence[float]


class CallbackSender:
    """A queue of callbacks and the workers that deliver them.

    One that is not taken is sent again after each of the `pauses`, in seconds, then given up.
    `counts` tells how many were made, taken (answered below 300) and given up, and how often each
    HTTP status, or none, was the answer. A share `loss` of them is never sent and counted as lost;
    of the others a share `repeats` is sent twice.
    """

    def __init__(
        self,
        pauses: Sequence[float] = PAUSES,
        *,
        loss: float = 0,
        repeats: float = 0,
        seed: int = 0,
    ) -> None:
        self._pauses = pauses
        self.loss = loss
        self.repeats = repeats
        self._seed = seed
        self._numbers = itertools.count(1)
        self.counts: Counter[str] = Counter()
        self._queue: asyncio.Queue[_Callback] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            connector=aiohttp.TCPConnector(limit=CONCURRENCY),
        )
        self._workers = [asyncio.create_task(self._work(self._session)) for _ in range(CONCURRENCY)]

    async def stop(self) -> None:
        """Deliver nothing more."""
        for worker in self._workers:
            worker.cancel()
        if self._session:
            await self._session.close()

    def send(
        self, url: str, body: bytes, headers: Mapping[str, str], *, again: bool = True
    ) -> None:
        """Queue a JSON body for delivery with these headers.

        Without `again` it is given up where it is not taken at once.
        """
        number = next(self._numbers)
        if draw(self._seed, "lost callback", number) < self.loss:
            self.counts["lost"] += 1
            return
        is_repeated = draw(self._seed, "repeated callback", number) < self.repeats
        for _ in range(2 if is_repeated else 1):
            self.counts["made"] += 1
            told = {"Content-Type": "application/json", **headers}
            self._queue.put_nowait(_Callback(url, body, told, self._pauses if again else ()))

    @property
    def pending(self) -> int:
        """Callbacks that are neither taken nor given up."""
        return self.counts["made"] - self.counts["taken"] - self.counts["given_up"]

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            taken = await self._deliver(session, await self._queue.get())
            self.counts["taken" if taken else "given_up"] += 1

    async def _deliver(self, session: aiohttp.ClientSession, callback: _Callback) -> bool:
        for pause in (0.0, *callback.pauses):
            await asyncio.sleep(pause)
            try:
                async with session.post(
                    callback.url, data=callback.body, headers=callback.headers
                ) as answer:
                    self.counts[f"answer_{answer.status}"] += 1
                    if answer.status < 300:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                self.counts["no_answer"] += 1
        return False
