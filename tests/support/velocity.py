"""Velocity's adapter for tests: its account, its requests, and a server with chosen answers."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from couriers.booking.drafts import clean_draft
from couriers.booking.preparation import prepare
from couriers.contract.registry import CourierFactory
from couriers.contract.types import ShipmentDraft, ShipmentRequest
from couriers.models import CourierAccount
from couriers_velocity.adapter import VelocityAdapter
from couriers_velocity.client import OPERATIONS
from tests.support.drafts import draft_with
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    WarehouseFactory,
)

EXCHANGES = Path(__file__).resolve().parents[2] / "fixtures" / "velocity" / "exchanges"
REFERENCE = "WH1/Main gate"
PLENTY = {"count": 100_000, "window": 1}
_numbers = itertools.count(1)


class ChosenAnswers:
    """A server that gives the answers of `next`, then the last of them again and again.

    `requests` are the path, the headers and the body of each call.
    """

    def __init__(self) -> None:
        self.next: list[tuple[int, Any]] = [(200, {})]
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""

    def answer(self, status: int, body: Any) -> None:
        """Give this answer from now on."""
        self.next = [(status, body)]

    @contextmanager
    def running(self) -> Iterator[ChosenAnswers]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield self
        server.shutdown()
        server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        chosen = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                chosen.requests.append((self.path, dict(self.headers), body))
                status, answer = chosen.next.pop(0) if chosen.next[1:] else chosen.next[0]
                content = (
                    answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                )
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        return Handler


def account_at(url: str, **login: str) -> CourierAccount:
    """Store a company with a warehouse and an account with high limits, and a key of its own."""
    company = CompanyFactory()
    WarehouseFactory(company=company, email="gate@shop.example")
    return CourierAccountFactory(
        company=company,
        courier=CourierRowFactory(code="velocity", name="Velocity"),
        base_url=url,
        login=login or {"api_key": f"sandbox@{next(_numbers)}"},
        limits=dict.fromkeys(OPERATIONS, PLENTY),
    )


def adapter_of(account: CourierAccount) -> VelocityAdapter:
    """Return the account's adapter."""
    found = CourierFactory.get_adapter(account)
    assert isinstance(found, VelocityAdapter)
    return found


def draft_for(**changes: Any) -> ShipmentDraft:
    """Return a merchant's request for a new order."""
    return draft_with(courier="velocity", order_number=f"V-{next(_numbers)}", **changes)


def request_for(adapter: VelocityAdapter, **changes: Any) -> ShipmentRequest:
    """Return a request whose warehouse has a reference, with other values in some fields."""
    request = prepare(adapter.account.company, clean_draft(draft_for())).request
    pickup = dataclasses.replace(request.pickup, reference=REFERENCE)
    return dataclasses.replace(request, **({"pickup": pickup} | changes))
