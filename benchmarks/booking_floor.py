"""The floor for a booking: a bare Django view that repeats a recorded booking by hand.

It makes the same statements in two commits and the same call by `requests`, and nothing else: no
middleware, no checks of the order, no encryption, no Redis. `gunicorn benchmarks.booking_floor`
serves it.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import environ
import requests
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.recorded_booking import Recording, Statement

CALL_ID = "call"  # the id of the row of the call, which an INSERT returns


@dataclass(frozen=True, slots=True)
class _Step:
    """A statement, and which of its parameters are new in each booking."""

    sql: str
    params: tuple[Any, ...]
    changing: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, statement: Statement, names: dict[Any, str]) -> _Step:
        changing = [
            (place, names[value])
            for place, value in enumerate(statement.params)
            if isinstance(value, (str, int)) and value in names
        ]
        if statement.sql.startswith('UPDATE "shipcrowd_couriers_couriercall"'):
            changing.append((len(statement.params) - 1, CALL_ID))
        return cls(statement.sql, statement.params, tuple(changing))

    def run(self, cursor: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        params = list(self.params)
        for place, name in self.changing:
            params[place] = values[name]
        cursor.execute(self.sql, params)
        return list(cursor.fetchall()) if cursor.description else []


class _Booking:
    """The recorded booking, ready to be repeated."""

    def __init__(self, recording: Recording) -> None:
        def steps(statements: list[Statement], in_transaction: bool) -> list[_Step]:
            return [
                _Step.of(one, recording.names)
                for one in statements
                if one.in_transaction == in_transaction
            ]

        self._recording = recording
        self._reads = steps(recording.before, in_transaction=False)
        self._reserve = steps(recording.before, in_transaction=True)
        self._settle = steps(recording.after, in_transaction=True)
        assert not steps(recording.after, in_transaction=False)
        self._order_number = next(v for v, n in recording.names.items() if n == "order_number")
        self._session = requests.Session()

    def repeat(self, order_number: str) -> dict[str, Any]:
        """Book an order with this number; return what the courier answered."""
        values = {"order_number": order_number, "shipment": f"shp_{uuid.uuid4().hex[:26]}"}
        with connection.cursor() as cursor:
            for step in self._reads:
                step.run(cursor, values)
        with transaction.atomic(), connection.cursor() as cursor:
            for step in self._reserve:
                if rows := step.run(cursor, values):
                    values[CALL_ID] = rows[0][0]
        answer = self._call(order_number)
        values |= {"tracking_id": answer["tracking_id"], "waybill": answer["barcodes"]["wbn"]}
        with transaction.atomic(), connection.cursor() as cursor:
            for step in self._settle:
                step.run(cursor, values)
        return answer | {"id": values["shipment"]}

    def _call(self, order_number: str) -> dict[str, Any]:
        sent = self._recording
        answer = self._session.request(
            sent.method,
            sent.url,
            data=sent.body.replace(self._order_number, order_number),
            headers={name: v for name, v in sent.headers.items() if name != "Content-Length"},
            timeout=(5, 30),
        )
        answer.raise_for_status()
        decoded: dict[str, Any] = answer.json()
        return decoded


def book(request: HttpRequest) -> HttpResponse:
    """Book the order of the request's body."""
    order = json.loads(request.body)
    answer = BOOKING.repeat(order["order_number"])
    return HttpResponse(json.dumps(answer), status=201, content_type="application/json")


urlpatterns = [path("api/v1/shipments/", book)]

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                **environ.Env().db_url_config(os.environ["DATABASE_URL"]),
                "CONN_MAX_AGE": 600,
                "CONN_HEALTH_CHECKS": True,  # as the platform has it
            }
        },
        MIDDLEWARE=[],
        ROOT_URLCONF="benchmarks.booking_floor",
        USE_TZ=True,
    )
    django.setup()
    BOOKING = _Booking(Recording.load(Path(os.environ["FLOOR_RECORDING"])))
    application = get_wsgi_application()
