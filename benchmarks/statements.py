"""What one booking and one callback cost in statements, commits and round trips to Redis.

Both are requested in this process, where all of it can be counted.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import Client
from redis.connection import AbstractConnection

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import SECRET, account_with_secret, empty_inbox
from benchmarks.merchants import Merchant, order
from benchmarks.recorded_booking import SHIPMENTS
from sandbox.process import SandboxProcess
from tests.support.callbacks import callback_path, ekart_signature

WARM = 3  # requests before the one that counts


@dataclass(slots=True)
class _Counted:
    """What one request cost. `commits` are PostgreSQL's; the request itself made them all."""

    statements: list[str]
    commits: int = 0
    round_trips: int = 0


def run() -> list[Figure]:
    """Count for the last of a few bookings and callbacks, when all that is cached is."""
    mark = f"{time.time_ns():x}"
    with SandboxProcess("ekart", "--hold") as sandbox:
        merchant = Merchant.at(sandbox.url)
        client = Client(
            SERVER_NAME="127.0.0.1", headers={"Authorization": f"Api-Key {merchant.key}"}
        )
        logins: dict[str, int] = {}
        for number in range(WARM):
            logins = sandbox.state()["calls"]
            with _counting() as booking:
                _post(client, SHIPMENTS, order("ekart", f"{mark}-{number}"), 201)
        calls = sandbox.state()["calls"]
    made = {name: count - logins.get(name, 0) for name, count in calls.items()}
    others = sum(made.values()) - made.get("create_shipment", 0)
    callback = _callback()
    inserts = sum("INSERT INTO" in one for one in callback.statements)
    return [
        at_most("book one shipment: commits", booking.commits, 2, "", 0),
        at_most("— SQL statements", len(booking.statements), 10, "", 0),
        at_most("— round trips to Redis", booking.round_trips, 3, "", 0),
        at_most("— calls to the courier beside the booking (token from memory)", others, 0, "", 0),
        at_most("accept one webhook: commits", callback.commits, 1, "", 0),
        at_most("— INSERTs", inserts, 1, "", 0),
        at_most("— other statements", len(callback.statements) - inserts, 0, "", 0),
    ]


def _callback() -> _Counted:
    empty_inbox()
    account, client = account_with_secret(), Client(SERVER_NAME="127.0.0.1")
    for number in itertools.count():
        body = json.dumps({"ctime": number, "status": "In Transit", "wbn": "1", "id": "1"}).encode()
        headers = {"X-Ekart-Signature": ekart_signature(body, SECRET)}
        with _counting() as counted:
            _post(client, callback_path(account), body, 200, headers=headers)
        if number == WARM:
            break
    empty_inbox()
    return counted


def _post(client: Client, path: str, body: Any, status: int, **more: Any) -> None:
    answer = client.post(path, body, content_type="application/json", **more)
    if answer.status_code != status:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.content.decode()}")


@contextmanager
def _counting() -> Iterator[_Counted]:
    """Count what this process does inside the block."""
    counted, send = _Counted([]), AbstractConnection.send_packed_command

    def sent(self: Any, *args: Any, **options: Any) -> None:
        counted.round_trips += 1
        send(self, *args, **options)

    def executed(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        counted.statements.append(str(sql).strip())
        return execute(sql, *args)

    before = _commits()
    with (
        patch.object(AbstractConnection, "send_packed_command", sent),
        connection.execute_wrapper(executed),
    ):
        yield counted
    counted.commits = _commits() - before


def _commits() -> int:
    """Return the number of writing transactions so far: each has an id of its own.

    Other processes must write nothing meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (number,) = cursor.fetchone()
    return int(number)
