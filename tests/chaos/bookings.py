"""Chaos for bookings: storefronts book over HTTP while everything that can fail does.

A tenth of the courier's calls fail. Web and worker processes are killed at random and at each named
step of the protocol, Valkey and PostgreSQL are restarted, and leases run out early. What the
courier's callbacks do not settle, an operator does, or the platform itself where the courier can be
asked. Then the sandbox's shipments are compared with the platform's, order by order.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from couriers.booking.steps import Step
from tests.chaos.couriers import EKART, ChaosCourier
from tests.chaos.harness import CLIENTS, SECRET, THREADS, ChaosRun, RunReport

# How long the operator waits for the courier's callback before settling a doubt, in seconds.
OPERATOR_WAIT = 6.0
MAX_IDLE_WAIT = 180  # seconds after the last booking until everything must be settled


@dataclass(kw_only=True)
class BookingReport(RunReport):
    """The results of a run.

    `duplicates` are shipments too many at the courier, `lost` orders are not booked on one of the
    two sides, `unknown_to_courier` ones have a tracking id that the courier does not have for them.
    `cut_off` is the most orders whose booking a kill, a restart or an early end of its lease can
    have interrupted.
    """

    courier: str
    bookings: int
    booked: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown_to_courier: int = 0
    unsettled: int = 0
    ever_in_doubt: int = 0
    injected_unknown: int = 0
    cut_off: int = 0
    faults: int = 0
    released: int = 0
    resolved: int = 0
    requests: int = 0

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        share, injected = self.ever_in_doubt / self.bookings, self.injected_unknown / self.bookings
        return [
            f"{self.courier}, seed {self.seed}: {self.bookings} orders in {self.seconds:.0f} s "
            f"({self.bookings / self.seconds:.0f} a second), {self.requests} requests, "
            f"{self.faults} faults",
            f"killed: {self.kills.total()} ({self.killed()})",
            f"restarted: {self.restarted()}",
            f"booked {self.booked}, duplicates {self.duplicates}, lost {self.lost}, "
            f"unknown to the courier {self.unknown_to_courier}, unsettled {self.unsettled}",
            f"ever in doubt {self.ever_in_doubt} ({share:.1%}), unknown outcomes injected "
            f"{self.injected_unknown} ({injected:.1%}), cut off at most {self.cut_off}; "
            f"released {self.released} and resolved {self.resolved} by the operator",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


@dataclass(frozen=True, slots=True)
class _Booking:
    """An order's shipment in the platform's database."""

    status: str = "missing"
    tracking_id: str = ""
    flags: str | None = None


class BookingChaos(ChaosRun):
    """The platform, the courier's sandbox, storefronts and an operator."""

    name = "chaos"
    client = "tests.chaos.storefront"
    application = "tests.chaos.wsgi"
    restarts_at = {"valkey": 0.35, "postgres": 0.65}

    def __init__(self, bookings: int, seed: int, kills: int, courier: ChaosCourier = EKART) -> None:
        self.report = BookingReport(seed=seed, bookings=bookings, courier=courier.code)
        self._seen_in_doubt: set[str] = set()
        self._cut_off: set[str] = set()
        self._order_numbers = [f"C-{number:06d}" for number in range(bookings)]
        super().__init__(self.report, kills, courier)

    def run(self) -> BookingReport:
        """Run it and return the report, whose `wrong` is empty if every promise held."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        self._kill_requests = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        self._sandbox = opened.enter_context(self._courier.sandbox(self.report.seed))
        base_url = f"{self._courier.code}_base_url".upper()
        return {base_url: self._sandbox.url, "CHAOS_DIR": str(self._kill_requests)}

    def _prepare(self) -> list[dict[str, Any]]:
        seeded = self._seed(*self._courier.limits)
        self._start_platform()
        self._have_callbacks_sent(seeded["webhook_url"])
        self._operator = self._stack.start_interactive(
            "tests.chaos.operator",
            {"SANDBOX_URL": self._sandbox.url, "OPERATOR_WAIT": str(OPERATOR_WAIT)},
        )
        self._sandbox.set_faults(*self._courier.faults)
        return [
            {
                "url": self._stack.url,
                "key": seeded["api_key"],
                "courier": self._courier.code,
                "orders": self._order_numbers[number::CLIENTS],
                "threads": THREADS,
                "seed": self.report.seed + number,
            }
            for number in range(CLIENTS)
        ]

    def _have_callbacks_sent(self, url: str) -> None:
        if self._courier.registers_webhooks:
            command = ("register_webhooks", self._courier.code, "--company", "chaos")
            self._stack.run_command(*command)
        elif self._courier.has_callbacks:
            self._sandbox.post("/_sandbox/callback", {"url": url, "secret": SECRET})

    def _kill_targets(self) -> list[str]:
        return [*Step, "web", "worker"]

    def _progress(self) -> float:
        return float(self._sandbox.state()["orders"]) / self.report.bookings

    def _background_work(self) -> Iterable[Callable[[], None]]:
        return (self._watch_doubts,) if self._courier.settles_doubts else (
            self._operate, self._watch_doubts,
        )  # fmt: skip

    def _restart(self, server: str) -> None:
        self._note_bookings_being_made()
        super()._restart(server)

    def _note_bookings_being_made(self) -> None:
        rows = self._query(
            "SELECT order_number FROM shipcrowd_couriers_shipment WHERE status = 'booking'"
        )
        self._cut_off.update(number for (number,) in rows)

    def _kill(self, target: str) -> None:
        """Kill a process; with a step as the target, the one that reaches it next (wsgi.py)."""
        if target != "worker":
            self._note_bookings_being_made()
        if target not in set(Step):
            super()._kill(target)
            return
        request = self._kill_requests / f"kill-{target}"
        request.touch()
        while request.exists():
            if self._over.wait(0.02):
                request.unlink(missing_ok=True)
                return
        self.report.kills[target] += 1

    def _watch_doubts(self) -> None:
        """Collect orders that are in doubt, and sometimes let the oldest lease run out early."""
        while not self._over.wait(0.3):
            end_a_lease = self._random.random() < 0.1
            try:
                with psycopg.connect(self._database, connect_timeout=2) as connection:
                    rows = connection.execute(
                        "SELECT order_number FROM shipcrowd_couriers_shipment"
                        " WHERE status = 'in_doubt'"
                    ).fetchall()
                    self._seen_in_doubt.update(number for (number,) in rows)
                    if end_a_lease:
                        ended = connection.execute(
                            "UPDATE shipcrowd_couriers_shipment SET lease_expires_at = now()"
                            " WHERE id IN (SELECT id FROM shipcrowd_couriers_shipment"
                            " WHERE status = 'booking' ORDER BY id LIMIT 1)"
                            " RETURNING order_number"
                        ).fetchall()
                        self._cut_off.update(number for (number,) in ended)
            except psycopg.OperationalError:
                continue

    def _operate(self) -> None:
        while not self._over.wait(1.0):
            self._settle_old_doubts()

    def _settle_old_doubts(self) -> int:
        """Have the operator settle old doubts; return how many are left, -1 if unknown."""
        assert self._operator.stdin is not None
        assert self._operator.stdout is not None
        print(file=self._operator.stdin, flush=True)
        result = json.loads(self._operator.stdout.readline())
        if result is None:
            return -1
        self.report.released += result["released"]
        self.report.resolved += result["resolved"]
        return int(result["left"])

    def _wait_until_idle(self) -> None:
        self._sandbox.set_faults()
        deadline = time.monotonic() + MAX_IDLE_WAIT
        while time.monotonic() < deadline:
            if self._sandbox.state()["callbacks_pending"] == 0 and self._open_bookings() == 0:
                return
            time.sleep(1)

    def _open_bookings(self) -> int:
        """Return how many bookings are not settled, after an operator's work where one works."""
        if not self._courier.settles_doubts:
            return self._settle_old_doubts()
        counted = self._query(
            "SELECT count(*) FROM shipcrowd_couriers_shipment"
            " WHERE status IN ('booking', 'in_doubt')"
        )
        return int(counted[0][0]) if counted else -1

    def _compare(self, results: list[dict[str, Any]]) -> None:
        self._count_faults(results)
        at_courier: dict[str, list[str]] = {}
        for shipment in self._sandbox.shipments():
            at_courier.setdefault(shipment["order_number"], []).append(shipment["tracking_id"])
        with psycopg.connect(self._database) as connection:
            stored = {
                number: _Booking(*columns)
                for number, *columns in connection.execute(
                    "SELECT order_number, status, tracking_id,"
                    " (SELECT string_agg(kind, ', ') FROM shipcrowd_couriers_shipmentflag"
                    "  WHERE shipment_id = shipment.id AND cleared_at IS NULL)"
                    " FROM shipcrowd_couriers_shipment AS shipment"
                )
            }
        answered = {n: tracking_id for one in results for n, tracking_id in one["booked"].items()}
        self.report.duplicates = sum(len(ids) - 1 for ids in at_courier.values())
        for number in self._order_numbers:
            booking = stored.get(number, _Booking())
            self._compare_order(number, booking, at_courier.get(number, []), answered.get(number))
        self._check_report(results)

    def _count_faults(self, results: list[dict[str, Any]]) -> None:
        report, faults = self.report, self._sandbox.state()["faults"]
        report.requests = sum(result["requests"] for result in results)
        report.faults = sum(faults.values())
        report.injected_unknown = sum(
            count
            for name, count in faults.items()
            if name.startswith(f"{self._courier.create}:")
            and not name.endswith(self._courier.known_outcome)
        )
        with psycopg.connect(self._database) as connection:
            rows = connection.execute(
                "SELECT DISTINCT s.order_number FROM shipcrowd_couriers_couriercall c"
                " JOIN shipcrowd_couriers_shipment s ON s.id = c.shipment_id"
                " WHERE c.outcome IN ('unknown', 'pending')"
            ).fetchall()
        answered_202 = {number for result in results for number in result["in_doubt"]}
        unknown_calls = {number for (number,) in rows}
        report.cut_off = len(self._cut_off)
        report.ever_in_doubt = len(self._seen_in_doubt | answered_202 | unknown_calls)

    def _compare_order(
        self, number: str, stored: _Booking, at_courier: list[str], answered: str | None
    ) -> None:
        """Compare one order's shipment with the courier's and with the storefront's answer."""
        report = self.report
        if stored.status in ("booking", "in_doubt"):
            report.unsettled += 1
        elif stored.status != "booked" or not at_courier:
            report.lost += 1
        else:
            report.booked += 1
        if stored.status == "booked" and stored.tracking_id not in at_courier:
            report.unknown_to_courier += 1
        if stored.flags:
            report.wrong.append(f"{number} is flagged: {stored.flags}")
        if answered != stored.tracking_id:
            report.wrong.append(
                f"{number}: the storefront was answered {answered}, stored is {stored.tracking_id}"
            )

    def _check_report(self, results: list[dict[str, Any]]) -> None:
        """Add to `wrong` what the figures and the storefronts' results show."""
        report = self.report
        for result in results:
            report.wrong += result["unexpected"]
            report.wrong += [
                f"{number} was answered with different bodies" for number in result["bodies_differ"]
            ]
        for name in ("duplicates", "lost", "unknown_to_courier", "unsettled"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")
        if report.ever_in_doubt > report.injected_unknown + report.cut_off:
            report.wrong.append("more doubts than unknown outcomes and bookings cut off together")
