"""One run of chaos: storefronts book over HTTP while everything that can fail does.

Faults run at a tenth of the courier's calls; web and worker processes are killed at random and at
each named step of the protocol; Valkey and PostgreSQL are restarted; leases run out early. An
operator settles what the courier's callbacks do not. Then the courier's books and the
platform's are compared order by order.
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
from sandbox.process import SandboxProcess
from tests.chaos.breaking import CLIENTS, THREADS, Breakage, BreakingRun

FAULT_RATE = 0.1
KINDS_OF_AUTH = ("timeout_before", "reset_before", "error_before", "broken_before", "slow")
# Faults after which a client knows what became of its call.
HARMLESS = ("rate_limited", "unauthorized", "slow")
# An operator waits so long, in seconds, for the courier's callback before looking into its panel.
OPERATOR_WAITS = 6.0


@dataclass(kw_only=True)
class Report(Breakage):
    """What came of a run."""

    bookings: int
    booked: int = 0
    duplicates: int = 0
    lost: int = 0
    ghosts: int = 0
    unsettled: int = 0
    ever_in_doubt: int = 0
    injected_unknown: int = 0
    faults: int = 0
    released: int = 0
    resolved: int = 0
    requests: int = 0

    def lines(self) -> list[str]:
        """The figures, for people."""
        share, injected = self.ever_in_doubt / self.bookings, self.injected_unknown / self.bookings
        return [
            f"seed {self.seed}: {self.bookings} orders in {self.seconds:.0f} s "
            f"({self.bookings / self.seconds:.0f} a second), {self.requests} requests, "
            f"{self.faults} faults",
            f"killed: {self.kills.total()} ({self.killed()})",
            f"restarted: {self.restarted()}",
            f"booked {self.booked}, duplicates {self.duplicates}, lost {self.lost}, "
            f"believed in but not at the courier {self.ghosts}, unsettled {self.unsettled}",
            f"ever in doubt {self.ever_in_doubt} ({share:.1%}), unknown outcomes injected "
            f"{self.injected_unknown} ({injected:.1%}); released {self.released} and resolved "
            f"{self.resolved} by the operator",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class Chaos(BreakingRun):
    """The platform, its courier, its customers, and what is done to them."""

    name = "chaos"
    client = "tests.chaos.storefront"
    application = "tests.chaos.wsgi"
    restarts_at = {"valkey": 0.35, "postgres": 0.65}

    def __init__(self, bookings: int, seed: int, kills: int) -> None:
        self.report = Report(seed=seed, bookings=bookings)
        self._doubted: set[str] = set()
        super().__init__(self.report, kills)

    def run(self) -> Report:
        """Do it all; the report tells what broke."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        self._orders_of_death = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        self._sandbox = opened.enter_context(
            SandboxProcess("ekart", "--hold", "--seed", str(self.report.seed))
        )
        return {"EKART_BASE_URL": self._sandbox.url, "CHAOS_DIR": str(self._orders_of_death)}

    def _prepared(self) -> list[dict[str, Any]]:
        seeded = self._seed("create_shipment=5000/1s", "get_token=1000/1s", "add_address=1000/1s")
        self._start_platform()
        self._stack.command("register_webhooks", "--company", "chaos")
        self._operator = self._stack.converse(
            "tests.chaos.operator",
            {"SANDBOX_URL": self._sandbox.url, "OPERATOR_WAITS": str(OPERATOR_WAITS)},
        )
        self._sandbox.set_faults(
            ("create_shipment", "*", FAULT_RATE),
            ("add_address", "*", FAULT_RATE),
            *(("auth", kind, FAULT_RATE / len(KINDS_OF_AUTH)) for kind in KINDS_OF_AUTH),
        )
        orders = [f"C-{number:06d}" for number in range(self.report.bookings)]
        return [
            {
                "url": self._stack.url,
                "key": seeded["api_key"],
                "orders": orders[number::CLIENTS],
                "threads": THREADS,
                "seed": self.report.seed + number,
            }
            for number in range(CLIENTS)
        ]

    def _victims(self) -> list[str]:
        return [*Step, "web", "worker"]

    def _progress(self) -> float:
        return float(self._sandbox.state()["orders"]) / self.report.bookings

    def _beside(self) -> Iterable[Callable[[], None]]:
        return (self._operate, self._watch)

    def _kill(self, victim: str) -> None:
        if victim not in set(Step):
            super()._kill(victim)
            return
        order = self._orders_of_death / f"kill-{victim}"
        order.touch()
        while order.exists():
            if self._over.wait(0.02):
                order.unlink(missing_ok=True)
                return
        self.report.kills[victim] += 1

    def _watch(self) -> None:
        """Note what is in doubt, and now and then have a lease run out early."""
        while not self._over.wait(0.3):
            pushed = self._random.random() < 0.1
            try:
                with psycopg.connect(self._database, connect_timeout=2) as connection:
                    rows = connection.execute(
                        "SELECT order_number FROM shipcrowd_couriers_shipment"
                        " WHERE status = 'in_doubt'"
                    ).fetchall()
                    self._doubted.update(number for (number,) in rows)
                    if pushed:
                        connection.execute(
                            "UPDATE shipcrowd_couriers_shipment SET lease_expires_at = now()"
                            " WHERE id IN (SELECT id FROM shipcrowd_couriers_shipment"
                            " WHERE status = 'booking' ORDER BY id LIMIT 1)"
                        )
            except psycopg.OperationalError:
                continue

    def _operate(self) -> None:
        """What an operator does with the bookings in doubt that no callback settles."""
        while not self._over.wait(1.0):
            self._settle_old_doubts()

    def _settle_old_doubts(self) -> int:
        """Settle by the courier's own panel; answers how many are left in doubt."""
        assert self._operator.stdin is not None
        assert self._operator.stdout is not None
        print(file=self._operator.stdin, flush=True)
        done = json.loads(self._operator.stdout.readline())
        if done is None:
            return -1
        self.report.released += done["released"]
        self.report.resolved += done["resolved"]
        return int(done["left"])

    def _come_to_rest(self) -> None:
        self._sandbox.set_faults()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self._sandbox.state()["callbacks_pending"] == 0 and self._settle_old_doubts() == 0:
                return
            time.sleep(1)

    def _compare(self, seen: list[dict[str, Any]]) -> None:
        """The courier's books against ours, order by order."""
        report = self.report
        theirs: dict[str, list[str]] = {}
        for shipment in self._sandbox.shipments():
            theirs.setdefault(shipment["order_number"], []).append(shipment["tracking_id"])
        with psycopg.connect(self._database) as connection:
            ours = {
                number: (status, tracking_id, flags)
                for number, status, tracking_id, flags in connection.execute(
                    "SELECT order_number, status, tracking_id,"
                    " (SELECT string_agg(kind, ', ') FROM shipcrowd_couriers_shipmentflag"
                    "  WHERE shipment_id = shipment.id AND cleared_at IS NULL)"
                    " FROM shipcrowd_couriers_shipment AS shipment"
                )
            }
            doubted = connection.execute(
                "SELECT DISTINCT s.order_number FROM shipcrowd_couriers_couriercall c"
                " JOIN shipcrowd_couriers_shipment s ON s.id = c.shipment_id"
                " WHERE c.outcome IN ('unknown', 'pending')"
            ).fetchall()
        state = self._sandbox.state()
        told = {number: tracking for front in seen for number, tracking in front["booked"].items()}
        in_doubt = {number for front in seen for number in front["in_doubt"]}
        report.requests = sum(front["requests"] for front in seen)
        report.faults = sum(state["faults"].values())
        report.injected_unknown = sum(
            count
            for name, count in state["faults"].items()
            if name.startswith("create_shipment:") and not name.endswith(HARMLESS)
        )
        report.ever_in_doubt = len(self._doubted | in_doubt | {number for (number,) in doubted})
        report.duplicates = sum(len(ids) - 1 for ids in theirs.values())
        for number in (f"C-{n:06d}" for n in range(report.bookings)):
            status, tracking_id, flags = ours.get(number, ("missing", "", None))
            at_courier = theirs.get(number, [])
            if status in ("booking", "in_doubt"):
                report.unsettled += 1
            elif status != "booked" or not at_courier:
                report.lost += 1
            else:
                report.booked += 1
            if status == "booked" and tracking_id not in at_courier:
                report.ghosts += 1
            if flags:
                report.wrong.append(f"{number} is flagged: {flags}")
            if told.get(number) != tracking_id:
                report.wrong.append(
                    f"{number}: the storefront was told {told.get(number)}, we have {tracking_id}"
                )
        for front in seen:
            report.wrong += front["unexpected"]
            report.wrong += [
                f"{number} was answered differently" for number in front["bodies_differ"]
            ]
        for name in ("duplicates", "lost", "ghosts", "unsettled"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")
        if report.ever_in_doubt > 3 * report.injected_unknown:
            report.wrong.append("more than three times as many doubts as unknown outcomes")
