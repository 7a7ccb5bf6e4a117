"""One run of chaos: storefronts book over HTTP while everything that can fail does.

Faults run at a tenth of the courier's calls; web and worker processes are killed at random and at
each named step of the protocol; Valkey and PostgreSQL are restarted; leases run out early. An
operator settles what the courier's callbacks do not. Then the courier's books and the
platform's are compared order by order.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from couriers.signals import Step
from couriers_ekart.sandbox.process import SandboxProcess
from shipcrowd import embedded
from shipcrowd.stack import SANDBOX_LOGIN, Stack

INSTANCE = f"chaos-{os.getpid()}"
FAULT_RATE = 0.1
KINDS_OF_AUTH = ("timeout_before", "reset_before", "error_before", "broken_before", "slow")
STOREFRONTS = 3
THREADS = 8
WEB_WORKERS = 3
# Faults after which a client knows what became of its call.
HARMLESS = ("rate_limited", "unauthorized", "slow")
# An operator waits so long, in seconds, for the courier's callback before looking into its panel.
OPERATOR_WAITS = 6.0


@dataclass
class Report:
    """What came of a run. `wrong` names every broken promise."""

    seed: int
    bookings: int
    seconds: float = 0.0
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
    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The figures, for people."""
        share, injected = self.ever_in_doubt / self.bookings, self.injected_unknown / self.bookings
        return [
            f"seed {self.seed}: {self.bookings} orders in {self.seconds:.0f} s "
            f"({self.bookings / self.seconds:.0f} a second), {self.requests} requests, "
            f"{self.faults} faults",
            f"killed: {sum(self.kills.values())} "
            f"({', '.join(f'{n} {step}' for step, n in sorted(self.kills.items()))})",
            f"restarted: {', '.join(f'{n} {name}' for name, n in sorted(self.restarts.items()))}",
            f"booked {self.booked}, duplicates {self.duplicates}, lost {self.lost}, "
            f"believed in but not at the courier {self.ghosts}, unsettled {self.unsettled}",
            f"ever in doubt {self.ever_in_doubt} ({share:.1%}), unknown outcomes injected "
            f"{self.injected_unknown} ({injected:.1%}); released {self.released} and resolved "
            f"{self.resolved} by the operator",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class Chaos:
    """The platform, its courier, its customers, and what is done to them."""

    def __init__(self, bookings: int, seed: int, kills: int) -> None:
        self.report = Report(seed, bookings)
        self._random = random.Random(seed)
        self._kills_wanted = kills
        self._over = threading.Event()
        self._troubles: list[BaseException] = []
        self._doubted: set[str] = set()

    def run(self) -> Report:
        """Do it all; the report tells what broke."""
        with ExitStack() as opened:
            self._orders_of_death = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            opened.callback(embedded.remove, INSTANCE)
            servers = opened.enter_context(embedded.session(INSTANCE))
            self._sandbox = opened.enter_context(
                SandboxProcess("--hold", "--seed", str(self.report.seed))
            )
            self._stack = opened.enter_context(
                Stack(
                    servers,
                    {
                        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                        "CHAOS_DIR": str(self._orders_of_death),
                        "EKART_BASE_URL": self._sandbox.url,
                        "EKART_WEBHOOK_SECRET": "a-secret-of-chaos",
                        "LOG_LEVEL": "CRITICAL",
                        **SANDBOX_LOGIN,
                    },
                )
            )
            self._database = servers.database_url
            self._start()
            started = time.monotonic()
            threads = [
                threading.Thread(target=self._guarded, args=(work,))
                for work in (self._break_things, self._operate, self._watch)
            ]
            for thread in threads:
                thread.start()
            seen = self._book()
            self._over.set()
            for thread in threads:
                thread.join()
            self.report.seconds = time.monotonic() - started
            self._sandbox.set_faults()
            self._settle_the_rest()
            self._compare(seen)
        return self.report

    def _start(self) -> None:
        stack = self._stack
        stack.migrate()
        seeded = stack.command(
            "seed_ekart", "--company", "chaos", "--create", "--name", "Chaos", "--gstin",
            "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode",
            "560001", "--phone", "9845012345", "--limit", "create_shipment=5000/1s",
            "--limit", "get_token=1000/1s", "--limit", "add_address=1000/1s",
        )  # fmt: skip
        self._key = seeded["api_key"]
        self._web = stack.start_web(
            workers=WEB_WORKERS, threads=THREADS, application="tests.chaos.wsgi"
        )
        self._worker = stack.start_worker(concurrency=1)
        stack.start_beat()
        stack.until_ready()
        stack.command("register_webhooks", "--company", "chaos")
        self._sandbox.set_faults(
            ("create_shipment", "*", FAULT_RATE),
            ("add_address", "*", FAULT_RATE),
            *(("auth", kind, FAULT_RATE / len(KINDS_OF_AUTH)) for kind in KINDS_OF_AUTH),
        )

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - reported at the end of the run
            self._troubles.append(error)

    def _book(self) -> list[dict[str, Any]]:
        """Let the storefronts book all orders; answers what each of them saw."""
        orders = [f"C-{number:06d}" for number in range(self.report.bookings)]
        fronts = []
        for number in range(STOREFRONTS):
            front = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.storefront"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            task = {
                "url": self._stack.url,
                "key": self._key,
                "orders": orders[number::STOREFRONTS],
                "threads": THREADS,
                "seed": self.report.seed + number,
            }
            assert front.stdin is not None
            front.stdin.write(json.dumps(task).encode())
            front.stdin.close()
            front.stdin = None
            fronts.append(front)
        return [json.loads(front.communicate()[0]) for front in fronts]

    def _break_things(self) -> None:
        """Kill and restart as bookings progress, so that a fast machine has as much of it."""
        steps = [*Step, "web", "worker"]
        plan = [steps[n % len(steps)] for n in range(self._kills_wanted)]
        self._random.shuffle(plan)
        shares = _shares(len(plan))
        events = [
            *((share, "kill", victim) for share, victim in zip(shares, plan, strict=True)),
            (0.35, "restart", "valkey"),
            (0.65, "restart", "postgres"),
        ]  # fmt: skip
        for share, action, what in sorted(events):
            while self._progress() < share:
                if self._over.wait(0.05):
                    return
            if action == "restart":
                embedded.restart(what, INSTANCE)
                self.report.restarts[what] += 1
            else:
                self._kill(what)

    def _progress(self) -> float:
        return float(self._sandbox.state()["orders"]) / self.report.bookings

    def _kill(self, victim: str) -> None:
        if victim == "worker":
            self._worker.kill()
            self._worker.wait()
            self._worker = self._stack.start_worker(concurrency=1)
        elif victim == "web":
            children = _children(self._web.pid)
            if not children:
                return
            os.kill(self._random.choice(children), signal.SIGKILL)
        else:
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
        environment = {"SANDBOX_URL": self._sandbox.url, "OPERATOR_WAITS": str(OPERATOR_WAITS)}
        done = self._stack.run_module("tests.chaos.operator", environment)
        if done is None:
            return -1
        self.report.released += done["released"]
        self.report.resolved += done["resolved"]
        return int(done["left"])

    def _settle_the_rest(self) -> None:
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
                number: (status, tracking_id, attention)
                for number, status, tracking_id, attention in connection.execute(
                    "SELECT order_number, status, tracking_id, attention"
                    " FROM shipcrowd_couriers_shipment"
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
            status, tracking_id, attention = ours.get(number, ("missing", "", ""))
            at_courier = theirs.get(number, [])
            if status in ("booking", "in_doubt"):
                report.unsettled += 1
            elif status != "booked" or not at_courier:
                report.lost += 1
            else:
                report.booked += 1
            if status == "booked" and tracking_id not in at_courier:
                report.ghosts += 1
            if attention:
                report.wrong.append(f"{number} is flagged: {attention}")
            if told.get(number) != tracking_id:
                report.wrong.append(
                    f"{number}: the storefront was told {told.get(number)}, we have {tracking_id}"
                )
        for front in seen:
            report.wrong += front["unexpected"]
            report.wrong += [
                f"{number} was answered differently" for number in front["bodies_differ"]
            ]
        report.wrong += [f"{type(error).__name__}: {error}" for error in self._troubles]
        for name in ("duplicates", "lost", "ghosts", "unsettled"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")
        if report.ever_in_doubt > 3 * report.injected_unknown:
            report.wrong.append("more than three times as many doubts as unknown outcomes")
        if set(report.restarts) != {"valkey", "postgres"}:
            report.wrong.append("a server was not restarted")
        if sum(report.kills.values()) < self._kills_wanted:
            report.wrong.append(f"fewer than {self._kills_wanted} kills")


def _shares(count: int) -> list[float]:
    """Evenly spread over the run, with its end left alone."""
    return [0.9 * (number + 1) / (count + 1) for number in range(count)]


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
