"""How long requests take while the courier's every answer comes after 600 ms.

That is the slow end of the 300 to 600 ms that couriers take. Merchants book, track and ask for
rates at once, and the courier sends callbacks meanwhile. To track is to ask the courier, so that
takes its 600 ms and more; `scans` reads what callbacks and polls have brought.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from benchmarks import plots
from benchmarks.figures import Figure, at_most
from benchmarks.inbox import SECRET, current_servers
from benchmarks.merchants import Merchant, order
from benchmarks.recorded_booking import SHIPMENTS
from sandbox.process import SandboxProcess
from shipcrowd.stack import Response, Stack
from tests.support.callbacks import callback_path, ekart_signature

ANSWER = 0.6  # seconds
SECONDS = 20.0
CLIENTS = 2  # of each kind
PAUSE = 0.1  # seconds between two requests of a client
# The 95th percentile in milliseconds.
BUDGETS = {"book": 2000, "track": 500, "scans": 500, "rates": 1000, "webhook": 1000}


class _Requests:
    """The requests of each kind, each one a little different from the last."""

    def __init__(self, stack: Stack, merchant: Merchant) -> None:
        self._stack, self._merchant = stack, merchant
        self._numbers: Iterator[int] = itertools.count(time.time_ns())
        self._booked = self.book().json()["id"]

    def book(self) -> Response:
        return self._post(SHIPMENTS, order("ekart", f"S-{next(self._numbers)}"), 201)

    def track(self) -> Response:
        return self._post(f"{SHIPMENTS}{self._booked}/track/", None, 200)

    def scans(self) -> Response:
        path = f"{SHIPMENTS}{self._booked}/scans/"
        return _checked(self._stack.request("GET", path, key=self._merchant.key), 200)

    def rates(self) -> Response:
        body = {
            "courier": "ekart", "pickup_pincode": "560001", "drop_pincode": "560008",
            "parcel": order("ekart", "")["parcel"], "payment_mode": "prepaid",
            # Never the same, so that no answer comes from the cache.
            "invoice_amount": f"{next(self._numbers) % 10_000}.00",
        }  # fmt: skip
        return self._post("/api/v1/rates/", body, 200)

    def webhook(self) -> Response:
        body = {"ctime": next(self._numbers), "status": "In Transit", "wbn": "1", "id": "1"}
        signed = {"X-Ekart-Signature": ekart_signature(json.dumps(body).encode(), SECRET)}
        path = callback_path(self._merchant.account)
        return _checked(self._stack.request("POST", path, body, headers=signed), 200)

    def _post(self, path: str, body: Any, status: int) -> Response:
        return _checked(self._stack.request("POST", path, body, key=self._merchant.key), status)


def run() -> list[Figure]:
    """Have clients of each kind send requests side by side."""
    faults = ("--fault", "*:slow:1", "--slow-seconds", str(ANSWER))
    with (
        SandboxProcess("ekart", "--hold", *faults) as sandbox,
        Stack(current_servers(), {"LOG_LEVEL": "ERROR"}) as stack,
    ):
        merchant = Merchant.at(sandbox.url)
        merchant.account.webhook_secret = SECRET
        merchant.account.save()
        stack.start_web()
        stack.wait_until_ready()
        requests = _Requests(stack, merchant)
        samples = {kind: _Sample(getattr(requests, kind)) for kind in BUDGETS}
        end = time.monotonic() + SECONDS
        clients = [
            threading.Thread(target=sample.collect, args=(end,))
            for sample in samples.values()
            for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    plots.shares(
        "latency",
        f"Answers while the courier takes {1000 * ANSWER:.0f} ms",
        {kind: sample.milliseconds for kind, sample in samples.items()},
        {kind: float(budget) for kind, budget in BUDGETS.items()},
    )
    return [sample.figure(kind) for kind, sample in samples.items()]


class _Sample:
    """The milliseconds of the requests of one kind, and how many failed."""

    def __init__(self, send: Callable[[], Response]) -> None:
        self._send = send
        self._failed = 0
        self.milliseconds: list[float] = []

    def collect(self, end: float) -> None:
        """Send requests until `end`, on the monotonic clock."""
        while time.monotonic() < end:
            started = time.perf_counter()
            self._failed += 1
            with suppress(RuntimeError):
                self._send()
                self._failed -= 1
            self.milliseconds.append(1000 * (time.perf_counter() - started))
            time.sleep(PAUSE)

    def figure(self, kind: str) -> Figure:
        """Return the 95th percentile against its budget."""
        times = sorted(self.milliseconds)
        p95 = times[len(times) * 95 // 100]
        failed = f", {self._failed} failed" if self._failed else ""
        what = f"{kind}, p95 of {len(times)} requests{failed}; the courier takes {ANSWER:g} s"
        held = at_most(what, p95, BUDGETS[kind], "ms", 0)
        return Figure(held.what, held.figure, held.budget, held.met and not self._failed)


def _checked(answer: Response, status: int) -> Response:
    if answer.status != status:
        raise RuntimeError(f"answered {answer.status}: {answer.text}")
    return answer
