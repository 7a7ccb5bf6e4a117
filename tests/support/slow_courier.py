"""A courier whose answers never end, and what it costs another tenant of the same process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from couriers.contract.statuses import Status
from couriers.models import CourierAccount, CourierToken, Shipment
from couriers_ekart.client import OPERATIONS
from shipcrowd.stack import Response, Stack
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_api_key,
)

ASKED = 40  # requests of the tenant whose courier is slow


class SlowCourier:
    """Sends its answers a byte at a time until `end()`; with `status` 429 it refuses at once.

    `waiting` is the number of calls under way.
    """

    def __init__(self, status: int = 200, retry_after: int = 9) -> None:
        self.waiting = 0
        self.most_waiting = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        courier = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", str(retry_after))
                    self.end_headers()
                else:
                    self.end_headers()
                    courier._drip(self)

            do_GET = do_POST = do_PUT = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
        with suppress(OSError):
            while not self._over.wait(0.1):
                handler.wfile.write(b" ")
        with self._lock:
            self.waiting -= 1

    def end(self) -> None:
        """End all answers, as broken ones."""
        self._over.set()

    def __enter__(self) -> SlowCourier:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._server.shutdown()
        self._server.server_close()


class Merchant:
    """A company with an account at the courier, a token for it, one shipment and an API key."""

    def __init__(self, url: str) -> None:
        company = CompanyFactory(slug=f"slow-{time.monotonic_ns()}")
        self.account: CourierAccount = CourierAccountFactory(
            company=company, base_url=url, client_id=company.slug,
            limits={name: {"count": 1000, "window": 1} for name in OPERATIONS},
        )  # fmt: skip
        CourierToken.objects.filter(account=self.account).delete()
        self.shipment: Shipment = ShipmentFactory(
            account=self.account, warehouse=WarehouseFactory(company=company),
            status=Status.IN_TRANSIT,
        )  # fmt: skip
        self.key = make_api_key(company)

    def track(self, stack: Stack) -> tuple[float, Response]:
        """Ask the courier about the shipment; return the seconds and the answer."""
        path = f"/api/v1/shipments/{self.shipment.pk}/track/"
        return timed(stack, "POST", path, self.key, {})

    def read(self, stack: Stack) -> tuple[float, Response]:
        """Read the shipment; return the seconds and the answer."""
        return timed(stack, "GET", f"/api/v1/shipments/{self.shipment.pk}/", self.key)


def timed(
    stack: Stack, method: str, path: str, key: str, body: Any = None
) -> tuple[float, Response]:
    """Send a request; return the seconds until the answer, and the answer."""
    began = time.monotonic()
    answer = stack.request(method, path, body, key=key)
    return time.monotonic() - began, answer


@contextmanager
def hanging(stack: Stack, courier: SlowCourier, places: int) -> Iterator[list[Future[Any]]]:
    """Have ASKED `track/` requests of one tenant wait for the courier inside the block.

    `places` is how many of them the server lets through. After the block all have ended.
    """
    merchant = Merchant(courier.url)
    with ThreadPoolExecutor(ASKED) as pool:
        asked = [pool.submit(merchant.track, stack) for _ in range(ASKED)]
        try:
            deadline = time.monotonic() + 20
            while courier.waiting < places and time.monotonic() < deadline:
                time.sleep(0.02)
            yield asked
        finally:
            courier.end()


def statuses_of(asked: list[Future[Any]]) -> Counter[int]:
    """Return how many of the requests have which status."""
    return Counter(future.result()[1].status for future in asked)
