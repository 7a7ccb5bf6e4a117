"""A storefront that sends each order until it is booked.

Run as a module, it reads its task as JSON from standard input (url, key, courier, orders, threads,
seed) and prints what it saw. It uses the standard library only, as a merchant's own client would.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from typing import Any

SENT_TWICE = 0.05  # of the requests are sent twice at the same time
MAX_SECONDS = 1800.0
HEAVY_G = 1000  # grams


class Storefront:
    """Books its orders from several threads."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.url, self.key, self.courier = task["url"], task["key"], task["courier"]
        self.random = random.Random(task["seed"])
        self.waiting = deque((0.0, number) for number in task["orders"])
        self.lock = threading.Lock()
        self.booked: dict[str, str] = {}
        self.bodies: dict[str, set[bytes]] = {}
        self.in_doubt: set[str] = set()
        self.refused: dict[str, str] = {}
        self.unexpected: list[str] = []
        self.requests = 0
        self.left = len(self.waiting)
        self.deadline = time.monotonic() + MAX_SECONDS

    def run(self, threads: int) -> dict[str, Any]:
        workers = [threading.Thread(target=self._work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return {
            "booked": self.booked,
            "in_doubt": sorted(self.in_doubt),
            "bodies_differ": sorted(n for n, bodies in self.bodies.items() if len(bodies) > 1),
            "refused": self.refused,
            "unexpected": self.unexpected,
            "requests": self.requests,
        }

    def _work(self) -> None:
        while time.monotonic() < self.deadline:
            with self.lock:
                if not self.left:
                    return
                due, number = self.waiting.popleft() if self.waiting else (0.0, "")
                twice = self.random.random() < SENT_TWICE
            if not number:
                time.sleep(0.05)
                continue
            time.sleep(max(0.0, min(due - time.monotonic(), 0.5)))
            if due > time.monotonic():
                self._put_back(number, due)
                continue
            duplicate = None
            if twice:
                duplicate = threading.Thread(target=self._post, args=(number,))
                duplicate.start()
            pause = self._post(number)
            if duplicate:
                duplicate.join()
            if pause is None:
                with self.lock:
                    self.left -= 1
            else:
                self._put_back(number, time.monotonic() + pause)

    def _put_back(self, number: str, due: float) -> None:
        with self.lock:
            self.waiting.append((due, number))

    def _post(self, number: str) -> float | None:
        """Send the order; return None if it is booked or refused, else when to send it again.

        That is in seconds from now.
        """
        request = urllib.request.Request(
            f"{self.url}/api/v1/shipments/",
            data=json.dumps(booking_request(self.courier, number)).encode(),
            headers={
                "Authorization": f"Api-Key {self.key}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"key-of-{number}",
            },
        )
        with self.lock:
            self.requests += 1
        try:
            status, body, headers = _send(request)
        except (OSError, http.client.HTTPException):
            return 0.5  # no whole answer: the server was killed
        if status == 201:
            with self.lock:
                self.booked[number] = json.loads(body)["tracking_id"]
                self.bodies.setdefault(number, set()).add(body)
            return None
        if status == 202:
            with self.lock:
                self.in_doubt.add(number)
            return 2.0
        # 502 and 504 are the proxy's, for a process that was killed.
        if status in (409, 429, 500, 502, 503, 504):
            return min(float(headers.get("Retry-After", 1)), 5.0)
        if status == 422:
            problem = json.loads(body)
            with self.lock:
                self.refused[number] = f"{problem['type']}: {problem.get('detail', '')}"
            return None
        with self.lock:
            self.unexpected.append(f"{number}: {status} {body[:200].decode(errors='replace')}")
        return None


def _send(request: urllib.request.Request) -> tuple[int, bytes, Any]:
    """Return status, body and headers of the answer, whatever its status."""
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def booking_request(courier: str, order_number: str) -> dict[str, Any]:
    """Return the JSON that books the order with the courier.

    By the number at its end an order is prepaid, paid on delivery, or heavy and prepaid. One
    without a number is prepaid.
    """
    number = order_number[len(order_number.rstrip("0123456789")) :]
    kind = int(number or "0") % 3
    request: dict[str, Any] = {
        "courier": courier,
        "order_number": order_number,
        "order_date": "2026-11-23",
        "payment_mode": "prepaid",
        "consignee": {
            "name": "Asha Sample", "phone": "98765 43210", "address": "9, Example Street",
            "city": "Bengaluru", "state": "Karnataka", "pincode": "560008",
        },
        "items": [{"name": "T-shirt", "quantity": 1, "value": "1523.00", "gst_rate": "12"}],
        "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    }  # fmt: skip
    if kind == 1:
        request |= {"payment_mode": "cod", "cod_amount": "1523.00"}
    if kind == 2:
        request["parcel"]["weight_g"] = HEAVY_G
    return request


if __name__ == "__main__":
    task = json.load(sys.stdin)
    json.dump(Storefront(task).run(task["threads"]), sys.stdout)
