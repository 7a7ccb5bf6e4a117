"""A courier that sends each of its callbacks until it gets a 200.

Run as a module, it reads its task as JSON from standard input and prints what it saw. It uses the
standard library only, as a client that shares no code with the platform.
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

# The courier's statuses, and the platform's neutral status for each.
STATUSES = {
    "Picked Up": "picked_up",
    "In Transit": "in_transit",
    "Shipment Delayed": "delayed",
    "Out for Delivery": "out_for_delivery",
    "Undelivered": "undelivered",
}
REPEATS = 0.2  # of the deliveries
START = 1_790_000_000_000  # milliseconds
MAX_SECONDS = 600.0


def make_deliveries(parcels: list[str], count: int, seed: int) -> list[bytes]:
    """Return `count` shuffled bodies; a share of REPEATS are repeats of others."""
    rng = random.Random(seed)
    bodies = []
    for number in range(int(count * (1 - REPEATS))):
        body = {
            "ctime": START + number * 1000,
            "status": rng.choice(list(STATUSES)),
            "location": "PUNE",
            "desc": "On its way",
            "attempts": "0",
            "wbn": str(number),
            "id": parcels[number % len(parcels)],
            "orderNumber": parcels[number % len(parcels)].removeprefix("T"),
        }
        bodies.append(json.dumps(body).encode())
    bodies += rng.choices(bodies, k=count - len(bodies))
    rng.shuffle(bodies)
    return bodies


def stored_hash(secret_key: str, account_id: str, body: bytes) -> bytes:
    """Return the hash by which the platform identifies the event.

    It is the SHA-256 of the content with sorted keys, keyed by SECRET_KEY.
    """
    text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    key = hashlib.sha256(b"shipcrowd_webhooks.content_hash" + secret_key.encode()).digest()
    return hmac.digest(key, account_id.encode() + digest, "sha256")


class CallbackSender:
    """Sends one share of the callbacks from several threads."""

    def __init__(self, task: dict[str, Any], bodies: list[bytes]) -> None:
        self.port, self.path = task["port"], task["path"]
        self.secret = task["secret"].encode()
        part, parts = task["share"]
        self.waiting = list(enumerate(bodies))[part::parts][::-1]
        self.lock = threading.Lock()
        self.accepted: list[int] = []
        self.failures: Counter[str] = Counter()
        self.sent = 0
        self.deadline = time.monotonic() + MAX_SECONDS

    def run(self, threads: int) -> dict[str, Any]:
        workers = [threading.Thread(target=self._work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return {"accepted": self.accepted, "sent": self.sent, "failures": self.failures}

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while time.monotonic() < self.deadline:
            with self.lock:
                if not self.waiting:
                    return
                number, body = self.waiting.pop()
                self.sent += 1
            failure = self._post(connection, body)
            with self.lock:
                if not failure:
                    self.accepted.append(number)
                    continue
                self.failures[failure] += 1
                self.waiting.insert(0, (number, body))
            time.sleep(0.1)

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> str:
        """Send a callback; return why it was not accepted, "" if it was."""
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
    bodies = make_deliveries(task["parcels"], task["deliveries"], task["seed"])
    json.dump(CallbackSender(task, bodies).run(task["threads"]), sys.stdout)
