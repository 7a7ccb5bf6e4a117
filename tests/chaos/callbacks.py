"""A courier that delivers its callbacks, each until it gets a 200, and does not give up.

Run as a module, it reads its task from standard input as JSON and prints what it saw. Standard
library only, as a stranger's server would be.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

# The courier's words, and what the platform is to make of them.
WORDS = {
    "Picked Up": "picked_up",
    "In Transit": "in_transit",
    "Shipment Delayed": "delayed",
    "Out for Delivery": "out_for_delivery",
    "Undelivered": "undelivered",
}
REPEATS = 0.2
START = 1_790_000_000_000  # milliseconds
PATIENCE = 600.0  # seconds


def deliveries(parcels: list[str], count: int, seed: int) -> list[bytes]:
    """The bodies to be delivered: a fifth are repeats of others, in no order of time."""
    rng = random.Random(seed)
    bodies = []
    for number in range(int(count * (1 - REPEATS))):
        body = {
            "ctime": START + number * 1000,
            "status": rng.choice(list(WORDS)),
            "location": "PUNE",
            "desc": "On its way",
            "attempts": "0",
            "wbn": str(number),
            "id": parcels[number % len(parcels)],
            "orderNumber": str(number),
        }
        bodies.append(json.dumps(body).encode())
    bodies += rng.choices(bodies, k=count - len(bodies))
    rng.shuffle(bodies)
    return bodies


def content_hash(body: bytes) -> bytes:
    """What the platform is to know an event by: its content with sorted keys."""
    text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


class Courier:
    """Delivers its share of the callbacks by several threads."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.port, self.path = task["port"], task["path"]
        self.secret = task["secret"].encode()
        part, parts = task["share"]
        bodies = deliveries(task["parcels"], task["deliveries"], task["seed"])
        self.waiting = list(enumerate(bodies))[part::parts][::-1]
        self.lock = threading.Lock()
        self.taken: list[int] = []
        self.refused: Counter[str] = Counter()
        self.sent = 0
        self.deadline = time.monotonic() + PATIENCE

    def run(self, threads: int) -> dict[str, Any]:
        workers = [threading.Thread(target=self._work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return {"taken": self.taken, "sent": self.sent, "refused": self.refused}

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while time.monotonic() < self.deadline:
            with self.lock:
                if not self.waiting:
                    return
                number, body = self.waiting.pop()
                self.sent += 1
            why = self._post(connection, body)
            with self.lock:
                if not why:
                    self.taken.append(number)
                    continue
                self.refused[why] += 1
                self.waiting.insert(0, (number, body))
            time.sleep(0.1)

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> str:
        """Deliver; answers why it was not taken, "" when it was."""
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "x-ekart-signature": signature}
        try:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return "without an answer"
        return "" if answer.status == 200 else f"answered {answer.status}"


if __name__ == "__main__":
    task = json.load(sys.stdin)
    json.dump(Courier(task).run(task["threads"]), sys.stdout)
