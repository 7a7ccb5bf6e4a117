"""What a real booking does: its statements in their order, and its call to the courier.

The floor view repeats a recording by hand. So it makes the same statements as the booking door,
whatever that door becomes.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from django.db import connection
from django.test import Client

SHIPMENTS = "/api/v1/shipments/"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its parameters, and whether it ran in a transaction."""

    sql: str
    params: tuple[Any, ...]
    in_transaction: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """One booking: the statements before and after the call, and the call itself.

    `names` has the values that differ from booking to booking, by what they are.
    """

    before: list[Statement]
    after: list[Statement]
    method: str
    url: str
    headers: dict[str, str]
    body: str
    names: dict[Any, str]

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> Recording:
        loaded = pickle.loads(path.read_bytes())
        assert isinstance(loaded, Recording)
        return loaded


@dataclass(slots=True)
class _Recorder:
    """Collects what happens while a request is answered in this process."""

    statements: list[Statement] = field(default_factory=list)
    sent: requests.PreparedRequest | None = None
    before: int = 0  # statements before the call

    def execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        kept = tuple(_plain(value) for value in params or ())
        self.statements.append(Statement(str(sql), kept, connection.in_atomic_block))
        return execute(sql, params, many, context)

    @contextmanager
    def recording(self) -> Any:
        send = requests.Session.send

        def recorded(session: requests.Session, request: Any, **options: Any) -> Any:
            self.sent, self.before = request, len(self.statements)
            return send(session, request, **options)

        with (
            patch.object(requests.Session, "send", recorded),
            connection.execute_wrapper(self.execute),
        ):
            yield


def record_booking(key: str, order: dict[str, Any]) -> Recording:
    """Book an order over the API in this process, and return what that did.

    Raises RuntimeError unless it was booked by one call.
    """
    recorder = _Recorder()
    client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Api-Key {key}"})
    with recorder.recording():
        answer = client.post(SHIPMENTS, json.dumps(order), content_type="application/json")
    if answer.status_code != 201 or recorder.sent is None:
        raise RuntimeError(f"the order was not booked: {answer.content.decode()}")
    shipment, sent = answer.json(), recorder.sent
    body = sent.body.decode() if isinstance(sent.body, bytes) else str(sent.body)
    names = {
        shipment["id"]: "shipment",
        order["order_number"]: "order_number",
        shipment["tracking_id"]: "tracking_id",
        shipment["waybill"]: "waybill",
    }
    before, after = recorder.statements[: recorder.before], recorder.statements[recorder.before :]
    return Recording(
        before, after, str(sent.method), str(sent.url), dict(sent.headers), body, names
    )


def _plain(value: Any) -> Any:
    """Return a parameter that can be stored in a file, and read without the platform's code."""
    if isinstance(value, str):
        return str(value)  # a member of a TextChoices is its text
    return bytes(value) if isinstance(value, memoryview) else value
