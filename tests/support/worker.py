"""A real Celery worker process for tests, with a toy courier that keys in Redis control.

`python -m celery -A tests.support.worker worker`. Tunables come as JSON in TOY_TUNABLES. With
TOY_CLOCK the clock of the process is so many seconds ahead.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django
import time_machine
from django.apps import apps
from django.conf import settings

from shipcrowd.embedded import Servers
from shipcrowd.embedded.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
CALLS = "toy:calls"  # a list of the courier's calls, as JSON
FAILURES = "toy:failures"  # a hash: how often a call whose first id is this one still fails
HANG = "toy:hang"  # a call whose first id is this one hangs, and writes its process id to HANGING
HANGING = "toy:hanging"


def make_app() -> Any:
    """Return the project's Celery application, with the controlled courier registered."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    django.setup()
    settings.SHIPCROWD = {"BASE_URL": settings.APP_BASE_URL} | json.loads(
        os.environ.get("TOY_TUNABLES", "{}")
    )
    # The leases are shorter than Ekart's calls, and the toy declares more than it has.
    settings.SILENCED_SYSTEM_CHECKS = ["couriers.E004", "couriers.E024"]
    if ahead := float(os.environ.get("TOY_CLOCK", "0")):
        time_machine.travel(time.time() + ahead).start()

    from couriers.contract.documents import ManifestDocument
    from couriers.contract.errors import Unknown
    from couriers.contract.registry import CourierFactory
    from couriers.contract.types import Booking, ShipmentRequest
    from shipcrowd.celery import app
    from tests.support.toy import AbleToyAdapter, ToyReceiver

    class ObedientAdapter(AbleToyAdapter):
        @classmethod
        def max_create_seconds(cls) -> float:
            return 0.5  # the tests' leases are short

        def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
            _obey(tracking_ids[0], list(tracking_ids))
            return super().create_manifest(tracking_ids)

        def create_shipment(self, request: ShipmentRequest) -> Booking:
            _obey(request.order_number, [request.order_number])
            # The processes' own counters would give one number twice.
            return Booking(tracking_id=f"TOY-{request.order_number}")

    def _obey(first: str, call: list[str]) -> None:
        from django_redis import get_redis_connection

        redis = get_redis_connection("default")
        redis.rpush(CALLS, json.dumps(call))
        if redis.get(HANG) == first.encode() and redis.set(HANGING, os.getpid(), nx=True):
            time.sleep(600)
        if int(redis.hget(FAILURES, first) or 0) > 0:
            redis.hincrby(FAILURES, first, -1)
            raise Unknown("read time-out")

    CourierFactory.register(ObedientAdapter, ToyReceiver())
    return app


def own_servers() -> Servers:
    """Return the test's own database and Redis, for processes that it starts."""
    from django.db import connection

    parts = urlsplit(settings.DATABASE_URL)
    name = connection.settings_dict["NAME"]
    return Servers(urlunsplit(parts._replace(path=f"/{name}")), settings.REDIS_URL)


def forks_of(master: int) -> list[int]:
    """Return the ids of a process' children."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return [int(pid) for pid in children.split()]


@contextmanager
def worker(*, clock: float = 0.0, **tunables: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker process on the test's own database and Redis; kill it at the end.

    Its clock is `clock` seconds ahead.
    """
    servers = own_servers()
    environment = os.environ | {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "TOY_TUNABLES": json.dumps(tunables),
        "TOY_CLOCK": str(clock),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "-A", "tests.support.worker", "worker",
         "--pool", "solo", "--loglevel", "warning", "--without-mingle", "--without-gossip"],
        env=environment,
        cwd=ROOT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(holds: Callable[[], Any], seconds: float = 60.0, meanwhile: Any = None) -> None:
    """Wait until `holds()` is true, calling `meanwhile` in between. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not wait_until(lambda: bool(holds()), 0.3):
        assert time.monotonic() < deadline, "it did not happen in time"
        if meanwhile:
            meanwhile()


if not apps.ready:
    app = make_app()
