"""Signed callbacks, sent again until they are taken. Knows the books' webhooks and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from typing import Any

import aiohttp

from sandbox.ledger import Booked, Books, Step

ATTEMPTS = 10
AT_ONCE = 16


class Callbacks:
    """Sends what happened to every active webhook that wants the topic."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._queue: asyncio.Queue[tuple[str, str, bytes]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.counts: Counter[str] = Counter()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=15),
            connector=aiohttp.TCPConnector(limit=AT_ONCE),
        )
        self._workers = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        if self._session:
            await self._session.close()

    @property
    def pending(self) -> int:
        """Callbacks that nobody has taken yet."""
        return self.counts["made"] - self.counts["taken"] - self.counts["given_up"]

    def tracked(self, shipment: Booked, step: Step) -> None:
        """track_updated; an empty location, and no times of pick-up and delivery before it."""
        body: dict[str, Any] = {
            "ctime": step.ctime,
            "status": step.status,
            "location": step.location,
            "desc": step.desc,
            "attempts": str(shipment.attempts),
            "wbn": shipment.wbn,
            "id": shipment.tracking_id,
            "orderNumber": shipment.order_number,
        }
        if shipment.picked_up:
            body["pickupTime"] = shipment.picked_up
            body["edd"] = shipment.expected
        if step.ndr_status:
            body["ndrStatus"] = step.ndr_status
        self._send("track_updated", body)

    def created(self, shipment: Booked, topic: str = "shipment_created") -> None:
        """shipment_created or shipment_recreated: the same fields, and no topic among them."""
        self._send(
            topic,
            {
                "id": shipment.tracking_id,
                "wbn": shipment.wbn,
                "vendor": "EKART",
                "orderNumber": shipment.order_number,
                "channelId": hashlib.sha256(shipment.order_number.encode()).hexdigest()[:24],
            },
        )

    def _send(self, topic: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body, separators=(",", ":")).encode()
        for webhook in self._books.webhooks.values():
            if webhook.active and topic in webhook.topics:
                self.counts["made"] += 1
                self._queue.put_nowait((webhook.url, webhook.secret, raw))

    async def _work(self) -> None:
        while True:
            url, secret, raw = await self._queue.get()
            if await self._deliver(url, secret, raw):
                self.counts["taken"] += 1
            else:
                self.counts["given_up"] += 1

    async def _deliver(self, url: str, secret: str, raw: bytes) -> bool:
        assert self._session is not None
        headers = {
            "Content-Type": "application/json",
            "x-ekart-signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(),
        }
        for attempt in range(ATTEMPTS):
            try:
                async with self._session.post(url, data=raw, headers=headers) as answer:
                    self.counts[f"answer_{answer.status}"] += 1
                    if answer.status < 300:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                self.counts["no_answer"] += 1
            await asyncio.sleep(min(5.0, 0.2 * 2**attempt))
        return False
