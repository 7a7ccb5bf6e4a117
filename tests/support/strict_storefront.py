"""Storefronts that send each order once, and note every answer: none is sent again."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from itertools import count
from types import TracebackType

from tests.chaos.storefront import booking_request

THREADS = 4
PAUSE = 0.3  # seconds between two orders of a thread


class StrictStorefronts:
    """Book from several threads during a `with` block.

    `booked` has the tracking id of each order that was answered 201, `failures` what else happened.
    """

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._numbers = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        self.booked: dict[str, str] = {}
        self.failures: Counter[str] = Counter()

    def __enter__(self) -> StrictStorefronts:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int, seconds: float = 120) -> None:
        """Wait until so many more orders are booked."""
        wanted, deadline = len(self.booked) + more, time.monotonic() + seconds
        while len(self.booked) < wanted and not self.failures:
            assert time.monotonic() < deadline, f"{len(self.booked)} of {wanted} orders are booked"
            time.sleep(0.05)

    def _work(self) -> None:
        while not self._over.wait(PAUSE):
            self._book(f"R-{next(self._numbers):05d}")

    def _book(self, number: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {
            "Authorization": f"Api-Key {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": number,
        }
        body = json.dumps(booking_request("ekart", number))
        try:
            connection.request("POST", "/api/v1/shipments/", body, headers)
            answer = connection.getresponse()
            read = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures[f"{type(error).__name__}: {error}"] += 1
            return
        finally:
            connection.close()
        if answer.status == 201:
            self.booked[number] = json.loads(read)["tracking_id"]
        else:
            self.failures[f"{answer.status} {read[:200].decode(errors='replace')}"] += 1
