"""The toy courier's stand-in: a real HTTP server that shares no code with the adapter.

`python -m couriers.testing.toy.sandbox search|reservation|neither [--port N]`. Times are India's
without a zone, weights are kilograms. It books again whatever is sent again, unless the order has a
reserved number: then the number's own parcel is answered.

    POST /orders               {order, number, name, phone, address, pin, kilograms, collect}
    GET  /orders?q=A-1         every order that begins so (`search` alone)
    POST /numbers              {count} (`reservation` alone)
    GET  /parcels/ID           its scans
    POST /parcels/ID/cancel    cancelled before it is collected, else a ticket for its way back
    GET  /tickets/ID           how a ticket ended

Callbacks go to the address that /_sandbox/callback is told, with the secret in X-Toy-Secret.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import os
import queue
import secrets
import sys
import threading
import time
import urllib.request
from typing import Any

from couriers.testing.fault_server import CONTROL, Answer, FaultServer, Request

FORMS = ("search", "reservation", "neither")
KEY = "toy-key"
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
NO_PIN = "999999"  # the pincode that the courier does not serve


class Refused(Exception):
    """A call that is answered by an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.answer = Answer.of({"error": error}, status)


class ToySandbox(FaultServer):
    """The courier's orders in memory, and their callbacks."""

    def __init__(self, form: str = "neither", port: int = 0, seed: int = 0) -> None:
        self.form = form
        self._parcels: dict[str, dict[str, Any]] = {}
        self._tickets: dict[str, str] = {}
        self._reserved: dict[str, str] = {}  # the order that each number was used for
        self._mark = secrets.token_hex(2).upper()
        self._numbers = itertools.count(1)
        self._invalid: list[dict[str, str]] = []
        self._changes = threading.RLock()
        self._callback: tuple[str, str] | None = None
        self._unsent: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._send_callbacks, daemon=True).start()
        super().__init__(port, seed)

    def booked(self, order_number: str) -> list[str]:
        """Return the tracking ids of every booking of an order."""
        return [p["parcel"] for p in list(self._parcels.values()) if p["order"] == order_number]

    def advance(self, parcel_id: str, word: str, place: str = "PUNE") -> None:
        """Give a parcel its next scan."""
        with self._changes:
            parcel = self._parcels[parcel_id]
            parcel["scans"].append({"word": word, "at": _now(), "place": place})
        self._tell({"about": "scan", **parcel["scans"][-1]}, parcel)

    def operation(self, request: Request) -> str:
        name = (request.method, request.path.split("/")[1])
        names = {
            ("POST", "orders"): "book",
            ("GET", "orders"): "find",
            ("POST", "numbers"): "reserve",
        }
        return names.get(name, "cancel" if request.method == "POST" else "track")

    def answer(self, request: Request) -> Answer:
        try:
            if request.headers.get("authorization") != f"Token {KEY}":
                raise Refused(401, "this key is not known")
            return Answer.of(self._work(request))
        except Refused as refusal:
            return refusal.answer
        except (KeyError, TypeError, ValueError) as error:
            self._invalid.append({"operation": self.operation(request), "error": repr(error)})
            return Answer.of({"error": "the request cannot be read"}, 400)

    def _work(self, request: Request) -> Any:
        match [request.method, *request.path.strip("/").split("/")]:
            case ["POST", "orders"]:
                return self._book(request.json())
            case ["GET", "orders"] if self.form == "search":
                wanted, known = request.query["q"], list(self._parcels.values())
                return {"orders": [_listed(p) for p in known if p["order"].startswith(wanted)]}
            case ["POST", "numbers"] if self.form == "reservation":
                return {"numbers": [self._new_number() for _ in range(request.json()["count"])]}
            case ["GET", "parcels", parcel]:
                return self._parcel(parcel)
            case ["POST", "parcels", parcel, "cancel"]:
                return self._cancel(self._parcel(parcel))
            case ["GET", "tickets", ticket] if ticket in self._tickets:
                return {"state": self._tickets[ticket]}
        raise Refused(404, "there is no such thing")

    def _book(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["pin"] == NO_PIN:
            raise Refused(422, "this pin is not served")
        with self._changes:
            number = order.get("number") or self._new_number()
            if self.form == "reservation":
                if self._reserved.get(number, "unknown") not in ("", order["order"]):
                    raise Refused(422, "this number is not free")
                self._reserved[number] = order["order"]
            if number not in self._parcels:
                self._parcels[number] = {"parcel": number, "order": order["order"], "scans": []}
                self._tell({"about": "order"}, self._parcels[number])
                self._parcels[number]["scans"] += [{"word": "booked", "at": _now(), "place": ""}]
        return _listed(self._parcels[number])

    def _cancel(self, parcel: dict[str, Any]) -> dict[str, Any]:
        with self._changes:
            word = parcel["scans"][-1]["word"]
            if word == "booked":
                self.advance(parcel["parcel"], "cancelled")
            if word in ("booked", "cancelled"):
                return {"state": "cancelled"}
            if word in ("handed over", "returned"):
                raise Refused(422, f"it is {word}")
            ticket = f"T{parcel['parcel']}"
            self._tickets.setdefault(ticket, "waiting")
            return {"state": "waiting", "ticket": ticket}

    def _parcel(self, number: str) -> dict[str, Any]:
        if number not in self._parcels:
            raise Refused(404, "there is no such parcel")
        return self._parcels[number]

    def _new_number(self) -> str:
        number = f"TOY{self._mark}{next(self._numbers):07d}"
        self._reserved[number] = ""
        return number

    def state(self) -> dict[str, Any]:
        parcels = list(self._parcels.values())
        return super().state() | {
            "booked": len(parcels),
            "orders": len({p["order"] for p in parcels}),
            "callbacks_pending": self._unsent.unfinished_tasks,
        }

    def control(self, request: Request) -> Answer:
        match request.path.removeprefix(CONTROL), request.method:
            case "shipments", _:
                parcels = _page(list(self._parcels.values()), request)
                return Answer.of(
                    [{"tracking_id": p["parcel"], "order_number": p["order"]} for p in parcels]
                )
            case "invalid-requests", _:
                return Answer.of(_page(self._invalid, request))
            case "callback", "POST":
                told = request.json()
                self._callback = (told["url"], told["secret"])
            case "advance", "POST":
                self.advance(**request.json())
            case "settle-ticket", "POST":
                self._tickets[request.json()["ticket"]] = request.json()["state"]
            case _:
                return super().control(request)
        return Answer.of({})

    def _tell(self, event: dict[str, Any], parcel: dict[str, Any]) -> None:
        if self._callback:
            self._unsent.put(event | {"parcel": parcel["parcel"], "order": parcel["order"]})

    def _send_callbacks(self) -> None:
        """Send each callback until it is taken."""
        while True:
            event = self._unsent.get()
            while not self._send_callback(event):
                time.sleep(0.2)
            self._unsent.task_done()

    def _send_callback(self, event: dict[str, Any]) -> bool:
        assert self._callback
        url, secret = self._callback
        headers = {"X-Toy-Secret": secret, "Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(event).encode(), headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 # nosec B310
                return True
        except OSError:
            return False


def _page(rows: list[Any], request: Request) -> list[Any]:
    after, limit = int(request.query["after"]), int(request.query["limit"])
    return rows[after : after + limit]


def _listed(parcel: dict[str, Any]) -> dict[str, Any]:
    return {"order": parcel["order"], "parcel": parcel["parcel"]}


def _now() -> str:
    return dt.datetime.now(INDIA).strftime("%Y-%m-%d %H:%M:%S.%f")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m couriers.testing.toy.sandbox")
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="another one draws other faults")
    parser.add_argument("--stop-with-stdin", action="store_true")
    flags = parser.parse_args()
    sandbox = ToySandbox(flags.form, flags.port, flags.seed)
    print(f"Toy sandbox listening on {sandbox.url}", flush=True)  # noqa: T201
    if flags.stop_with_stdin:
        threading.Thread(target=sandbox.serve, daemon=True).start()
        while os.read(sys.stdin.fileno(), 1024):
            pass
    else:
        sandbox.serve()


if __name__ == "__main__":
    main()
