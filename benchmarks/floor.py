"""CPU of one booking over HTTP compared with the floor: same server, same run, alternating rounds.

It is compared for the web process alone, and with what PostgreSQL takes of it.

Both run under nginx and gunicorn with one process each, against the sandbox of Ekart. The floor is
a bare view that makes the same statements by hand in two commits and the same call.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cpu
from benchmarks.figures import Figure, at_most
from benchmarks.inbox import current_servers
from benchmarks.merchants import Merchant, order
from benchmarks.recorded_booking import SHIPMENTS, record_booking
from sandbox.process import SandboxProcess
from shipcrowd.stack import Stack

ROUNDS = 7
BOOKINGS = 50  # of one round
BUDGET = 2.0  # times the floor's CPU
WHAT = "book over HTTP, against a floor view with the same statements and call: CPU of the web"


@dataclass(slots=True)
class _Door:
    """A web server, and what each round of bookings cost: milliseconds of CPU for a booking."""

    stack: Stack
    name: str
    gunicorn: int
    web: list[float] = field(default_factory=list)
    postgresql: list[float] = field(default_factory=list)

    def book(self, key: str, numbers: Iterator[int], *, measured: bool) -> None:
        """Book one round of orders, one after the other."""
        workers, backends = cpu.children_of(self.gunicorn), cpu.backends_of(self.name)
        before = cpu.seconds_of(workers), cpu.seconds_of(backends)
        for number in itertools.islice(numbers, BOOKINGS):
            answer = self.stack.request(
                "POST", SHIPMENTS, order("ekart", f"{self.name}-{number}"), key=key
            )
            if answer.status != 201:
                raise RuntimeError(f"{self.name} did not book: {answer.text}")
        if measured:
            used = cpu.seconds_of(workers) - before[0], cpu.seconds_of(backends) - before[1]
            self.web.append(1000 * used[0] / BOOKINGS)
            self.postgresql.append(1000 * used[1] / BOOKINGS)


def run() -> list[Figure]:
    """Measure both doors in turn; the ratio is the median of the rounds' ratios."""
    with SandboxProcess("ekart", "--hold") as sandbox, tempfile.TemporaryDirectory() as folder:
        merchant = Merchant.at(sandbox.url)
        mark, recording = f"{time.time_ns():x}", Path(folder) / "booking"
        for number in range(3):  # registers the warehouse, logs in, fills the caches
            recorded = record_booking(merchant.key, order("ekart", f"{mark}-{number}"))
        recorded.save(recording)
        settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.unthrottled"}
        told = {"FLOOR_RECORDING": str(recording)}
        with (
            _door("platform", settings, "shipcrowd.wsgi") as door,
            _door("floor", told, "benchmarks.booking_floor") as floor,
        ):
            door.stack.wait_until_ready()
            numbers = itertools.count(time.time_ns())
            for number in range(ROUNDS + 1):
                for one in (door, floor) if number % 2 else (floor, door):
                    one.book(merchant.key, numbers, measured=number > 0)
    return _figures(door, floor, len(recorded.before) + len(recorded.after))


@contextmanager
def _door(name: str, environment: Mapping[str, str], application: str) -> Iterator[_Door]:
    """Start a web server of one process, whose connections to PostgreSQL have this name."""
    own = {"LOG_LEVEL": "ERROR", "WEB_WORKERS": "1", "PGAPPNAME": name, **environment}
    with Stack(current_servers(), own) as stack:
        yield _Door(stack, name, stack.start_web(application).pid)


def _figures(door: _Door, floor: _Door, statements: int) -> list[Figure]:
    web, floor_web = statistics.median(door.web), statistics.median(floor.web)
    ratio = _ratio(door.web, floor.web)
    print(
        f"floor: {statements} statements; a booking takes {web:.1f} ms of CPU in the web process, "
        f"the floor {floor_web:.1f} ms, ratio {ratio:.2f} (≤ {BUDGET:g})"
    )
    figures = [
        at_most(WHAT, ratio, BUDGET, "times"),
        Figure(
            "— CPU of the web process for a booking", f"{web:.1f} ms (floor {floor_web:.1f})",
            speed=("booking_web_ms", web),
        ),
    ]  # fmt: skip
    if floor.postgresql and any(floor.postgresql):
        sql, floor_sql = statistics.median(door.postgresql), statistics.median(floor.postgresql)
        told = f"{sql:.1f} ms (floor {floor_sql:.1f})"
        print(f"floor: PostgreSQL takes {told} of CPU for a booking")
        figures.append(Figure("— CPU of PostgreSQL for a booking", told))
        both = _ratio(_sums(door), _sums(floor))
        figures.append(at_most("— CPU of the web process and PostgreSQL", both, BUDGET, "times"))
    return figures


def _sums(door: _Door) -> list[float]:
    return [web + sql for web, sql in zip(door.web, door.postgresql, strict=True)]


def _ratio(values: list[float], floor: list[float]) -> float:
    """Return the median of the rounds' ratios. Both parts of a round ran close together."""
    return statistics.median(a / b for a, b in zip(values, floor, strict=True))
