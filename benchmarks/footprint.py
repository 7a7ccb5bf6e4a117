"""What a shipment costs in disk, CPU and WAL, and what a day of many of them needs.

Real bookings over HTTP at the sandbox, then the callbacks of each parcel, which are stored and
applied. The disk is that of copies of these rows with all their indexes, so that free space which
other benchmarks left does not count.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import django_redis
from django.db import connection
from django.db.models import Model

from benchmarks import cpu
from benchmarks.figures import Figure
from benchmarks.inbox import SECRET, current_servers, empty_inbox, execute
from benchmarks.load import LoadTask, measure
from benchmarks.merchants import Merchant, order
from benchmarks.processing import callback_body, process_all
from benchmarks.recorded_booking import SHIPMENTS
from benchmarks.simulate import FIGURES, callbacks_by_minute, minute_profile
from couriers.conf import tunables
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount, Shipment
from sandbox.process import SandboxProcess
from shipcrowd.stack import Stack
from tests.support.callbacks import callback_path
from webhooks import inbox
from webhooks.models import EventState, WebhookEvent

WARM, BOOKINGS = 20, 1_000
# A usual parcel's callbacks, which are some hours apart.
STATUSES = (
    "Order Placed", "Out for Pickup", "Picked Up", *["In Transit"] * 5, "Out for Delivery",
    "Delivered",
)  # fmt: skip
LOAD_SECONDS = 4.0
NAME = "footprint"  # of the web server's connections to PostgreSQL
MILLION = 1_000_000
DAYS = (100_000, MILLION, 10 * MILLION)
HOURS_BETWEEN = 4 * 3_600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one booking or callback: milliseconds of CPU in each kind of process, bytes of WAL."""

    own: float
    postgresql: float
    redis: float
    wal: float

    def told(self) -> str:
        """Return the cost in words."""
        return (
            f"{self.own:.2f} ms of CPU, {self.postgresql:.2f} ms in PostgreSQL, "
            f"{self.redis:.2f} ms in Redis, {self.wal / 1000:.1f} kB of WAL"
        )

    def plus(self, other: Cost, times: float = 1) -> Cost:
        """Add another cost, so many times."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Cost(*(one + times * more for one, more in pairs))


def run() -> list[Figure]:
    """Book, store and apply; then measure the rows."""
    for name in ("couriers", "webhooks"):
        logging.getLogger(name).setLevel(logging.ERROR)
    empty_inbox()
    # What other benchmarks left is vacuumed now, and not by PostgreSQL during a measurement.
    execute("VACUUM (ANALYZE)")
    with SandboxProcess("ekart", "--hold") as sandbox:
        merchant = Merchant.at(sandbox.url)
        merchant.account.webhook_secret = SECRET
        merchant.account.save()
        settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.unthrottled"}
        own = {"LOG_LEVEL": "ERROR", "WEB_WORKERS": "1", "PGAPPNAME": NAME, **settings}
        with Stack(current_servers(), own) as stack:
            gunicorn = stack.start_web()
            stack.wait_until_ready()
            web = cpu.children_of(gunicorn.pid)
            _book(stack, merchant, WARM)
            with _measuring(web, cpu.backends_of(NAME)) as used:
                _book(stack, merchant, BOOKINGS)
            booking = _each(used, BOOKINGS)
            ingest = _ingest(stack, web, merchant.account)
    applying = _apply(merchant.account)
    disk = _disk(merchant.account)
    empty_inbox()
    return _figures(booking, ingest, applying, disk)


def _book(stack: Stack, merchant: Merchant, count: int) -> None:
    for _ in range(count):
        given = order("ekart", uuid.uuid4().hex)
        answer = stack.request("POST", SHIPMENTS, given, key=merchant.key)
        if answer.status != 201:
            raise RuntimeError(f"not booked: {answer.text}")


@contextmanager
def _measuring(pids: list[int], backends: list[int]) -> Iterator[list[float]]:
    """Add what the processes use to the list, once the block has ended, in the order of Cost.

    A page that changes first after a checkpoint is written to the WAL whole, so it begins by one.
    """
    execute("CHECKPOINT")
    found: list[float] = []
    before = _used(pids, backends)
    yield found
    found += [now - then for now, then in zip(_used(pids, backends), before, strict=True)]


def _used(pids: list[int], backends: list[int]) -> list[float]:
    cpu_of_redis = django_redis.get_redis_connection("default").info("cpu")
    (wal,) = _row("SELECT pg_current_wal_insert_lsn() - '0/0'")
    return [
        1000 * cpu.seconds_of(pids),
        1000 * cpu.seconds_of(backends),
        1000 * (cpu_of_redis["used_cpu_user"] + cpu_of_redis["used_cpu_sys"]),
        float(wal),
    ]


def _each(found: list[float], count: int) -> Cost:
    return Cost(*(one / count for one in found))


def _ingest(stack: Stack, web: list[int], account: CourierAccount) -> Cost:
    """Send callbacks for a few seconds over kept connections."""

    def task(seconds: float) -> LoadTask:
        path, mark = callback_path(account), uuid.uuid4().hex[:8]
        return LoadTask(stack.port, path, SECRET, 10, seconds, mark)

    measure(task(1.0))
    with _measuring(web, cpu.backends_of(NAME)) as used:
        result = measure(task(LOAD_SECONDS))
    if result.errors:
        raise RuntimeError(f"{result.errors} callbacks were refused")
    empty_inbox()
    return _each(used, result.requests)


def _apply(account: CourierAccount) -> Cost:
    """Store the callbacks of all parcels, and apply them in this process.

    They come in the order of their times, so that each of a batch is of another parcel.
    """
    receiver = CourierFactory.receiver(account.courier_id)
    assert receiver is not None
    shipments = Shipment.objects.filter(account=account)
    parcels = list(shipments.values_list("tracking_id", "order_number"))
    start = int(dt.datetime.now(dt.UTC).timestamp() * 1000) - len(STATUSES) * HOURS_BETWEEN
    bodies = [
        callback_body(tracking_id, status, start + number * HOURS_BETWEEN, order_number)
        for number, status in enumerate(STATUSES)
        for tracking_id, order_number in parcels
    ]
    for body in bodies:
        inbox.store_callback(account.pk, receiver, body)
    (backend,) = _row("SELECT pg_backend_pid()")
    with _measuring([os.getpid()], [backend]) as used:
        process_all()
    if left := WebhookEvent.objects.exclude(state=EventState.PROCESSED).count():
        raise RuntimeError(f"{left} callbacks were not applied")
    return _each(used, len(bodies))


def _row(statement: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchone())


def _disk(account: CourierAccount) -> dict[str, tuple[float, float]]:
    """Return rows and bytes of a shipment by the name of each table that has any."""
    shipments = f"SELECT id FROM {Shipment._meta.db_table} WHERE account_id = %s"
    related = {one.related_model: one.field.column for one in Shipment._meta.related_objects}
    where = {model: f"{column} IN ({shipments})" for model, column in related.items()}
    where |= {Shipment: "account_id = %s", WebhookEvent: "account_id = %s"}
    count = Shipment.objects.filter(account=account).count()
    found = {}
    for model, condition in where.items():
        rows, size = _copied(model, condition, account.pk)
        if rows:
            found[str(model._meta.verbose_name)] = rows / count, size / count
    return found


def _copied(model: type[Model], condition: str, account_id: str) -> tuple[int, int]:
    """Copy the rows with all indexes; return how many, and their bytes beyond an empty copy's."""
    table, size = model._meta.db_table, "SELECT pg_total_relation_size('bench_copy')"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_copy (LIKE {table} INCLUDING ALL)")
        cursor.execute(size)
        (empty,) = cursor.fetchone()
        cursor.execute(
            f"INSERT INTO bench_copy SELECT * FROM {table} WHERE {condition}", [account_id]
        )
        rows = cursor.rowcount
        cursor.execute(size)
        (full,) = cursor.fetchone()
        cursor.execute("DROP TABLE bench_copy")
    return rows, full - empty


def _figures(
    booking: Cost, ingest: Cost, applying: Cost, disk: dict[str, tuple[float, float]]
) -> list[Figure]:
    callbacks = len(STATUSES)
    size = sum(of_table for _, of_table in disk.values())
    whole = booking.plus(ingest, callbacks).plus(applying, callbacks)
    hours = MILLION / 3_600_000  # of milliseconds for each of a million
    return [
        Figure(f"disk of a shipment with {callbacks} callbacks", f"{size / 1000:.1f} kB"),
        *(
            Figure(f"— {name}", f"{rows:.1f} rows, {of_table:,.0f} bytes")
            for name, (rows, of_table) in disk.items()
        ),
        Figure("book over HTTP", booking.told()),
        Figure(
            "store a callback over HTTP", ingest.told(),
            speed=("callbacks_ingested", 1000 / ingest.own),
        ),
        Figure("apply a callback", applying.told()),
        Figure(
            "a million shipments",
            f"{size * MILLION / 1e9:.1f} GB of disk, {whole.own * hours:.1f} h of CPU, "
            f"{whole.postgresql * hours:.1f} h in PostgreSQL, {whole.redis * hours:.1f} h in "
            f"Redis, {whole.wal * MILLION / 1e9:.1f} GB of WAL",
        ),
        *_by_day(booking, ingest.plus(applying), disk),
    ]  # fmt: skip


def _by_day(booking: Cost, callback: Cost, disk: dict[str, tuple[float, float]]) -> list[Figure]:
    """Return what days of so many shipments need, in the fullest minute of the simulated day."""
    assumed = json.loads(FIGURES.read_text())["assumed"]
    hours, burst_hour, burst = (assumed[one]["value"] for one in ("hours", "burst_hour", "burst"))
    profile = minute_profile(hours, burst_hour, burst)
    callbacks = callbacks_by_minute(profile, profile, assumed["events_after_hours"]["value"])
    limits = tunables()
    kept = {
        "webhook event": limits.RETENTION_EVENTS_DAYS, "courier call": limits.RETENTION_CALLS_DAYS,
        "idempotency key": limits.RETENTION_KEYS_DAYS,
    }  # fmt: skip
    year = sum(size * kept.get(name, 365) for name, (_, size) in disk.items())
    figures = []
    for count in DAYS:
        bookings, events = count * profile.max() / 60, count * callbacks.max() / 60
        used = Cost(0, 0, 0, 0).plus(booking, bookings).plus(callback, events)
        figures.append(
            Figure(
                f"{count:,} shipments a day: cores in the fullest minute",
                f"{used.own / 1000:.1f}, {used.postgresql / 1000:.1f} of PostgreSQL, "
                f"{used.redis / 1000:.2f} of Redis ({bookings:,.0f} bookings/s, "
                f"{events:,.0f} callbacks/s); {count * year / 1e9:,.0f} GB after a year",
            )
        )
    return figures
