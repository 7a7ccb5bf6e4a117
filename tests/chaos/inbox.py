"""Chaos for the inbox: a courier that delivers until it gets a 200, while everything breaks.

Web and worker processes are killed, Valkey and PostgreSQL restarted. Then the table is compared
with what the courier was answered, event by event and scan by scan.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from shipcrowd import embedded
from shipcrowd.stack import SANDBOX_LOGIN, Stack
from tests.chaos.callbacks import REPEATS, WORDS, content_hash, deliveries

INSTANCE = f"chaos-inbox-{os.getpid()}"
SECRET = "a-secret-of-chaos"
COURIERS = 3  # processes that deliver
THREADS = 8
WEB_WORKERS = 3
PARCELS_SHARE = 0.05  # of the deliveries
# After the last delivery, until nothing is due any more (seconds).
PATIENCE = 180


@dataclass
class InboxReport:
    """What came of a run. `wrong` names every broken promise."""

    seed: int
    deliveries: int
    seconds: float = 0.0
    taken: int = 0
    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    events: int = 0
    scans: int = 0
    missing: int = 0
    unprocessed: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The figures, for people."""
        trouble = ", ".join(f"{n} {why}" for why, n in sorted(self.refused.items()))
        return [
            f"seed {self.seed}: {self.deliveries} deliveries, each until its 200, in "
            f"{self.seconds:.0f} s; sent {self.sent} times ({trouble or 'no trouble'})",
            f"killed: {', '.join(f'{n} {name}' for name, n in sorted(self.kills.items()))}; "
            f"restarted: {', '.join(f'{n} {name}' for name, n in sorted(self.restarts.items()))}",
            f"taken {self.taken}, which are {self.events} events; missing {self.missing}, not "
            f"processed {self.unprocessed}; {self.scans} scans, each once",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class InboxChaos:
    """The platform, couriers that call back, and what is done to them."""

    def __init__(self, deliveries: int, seed: int, kills: int) -> None:
        self.report = InboxReport(seed, deliveries)
        self._random = random.Random(seed)
        self._kills_wanted = kills
        self._over = threading.Event()
        self._troubles: list[BaseException] = []

    def run(self) -> InboxReport:
        """Do it all; the report tells what broke."""
        with ExitStack() as opened:
            opened.callback(embedded.remove, INSTANCE)
            servers = opened.enter_context(embedded.session(INSTANCE))
            self._database = servers.database_url
            environment = {
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "EKART_BASE_URL": "http://127.0.0.1:9",
                "EKART_WEBHOOK_SECRET": SECRET,
                "LOG_LEVEL": "CRITICAL",
                **SANDBOX_LOGIN,
            }
            self._stack = opened.enter_context(Stack(servers, environment))
            parcels = self._start()
            started = time.monotonic()
            breaker = threading.Thread(target=self._guarded)
            breaker.start()
            seen = self._deliver(parcels)
            self._over.set()
            breaker.join()
            self.report.seconds = time.monotonic() - started
            self._wait_until_applied()
            self._compare(parcels, seen)
        return self.report

    def _start(self) -> list[str]:
        """Start everything; answers the parcels' tracking ids."""
        stack = self._stack
        stack.migrate()
        seeded = stack.command(
            "seed_ekart", "--company", "chaos", "--create", "--name", "Chaos", "--gstin",
            "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode",
            "560001", "--phone", "9845012345",
        )  # fmt: skip
        self._path = f"/webhooks/ekart/{seeded['account_id']}/"
        count = max(20, int(self.report.deliveries * PARCELS_SHARE))
        made = stack.run_module("tests.chaos.parcels", {"PARCELS": str(count)})
        assert made is not None
        self._web = stack.start_web(workers=WEB_WORKERS, threads=THREADS)
        self._worker = stack.start_worker(concurrency=1)
        stack.start_beat()
        stack.until_ready()
        return list(made["tracking_ids"])

    def _deliver(self, parcels: list[str]) -> list[dict[str, Any]]:
        """Have the couriers deliver; answers what each of them saw."""
        processes = []
        for number in range(COURIERS):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.callbacks"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            task = {
                "port": self._stack.port, "path": self._path, "secret": SECRET,
                "parcels": parcels, "deliveries": self.report.deliveries,
                "seed": self.report.seed, "share": [number, COURIERS], "threads": THREADS,
            }  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(json.dumps(task).encode())
            process.stdin.close()
            process.stdin = None
            processes.append(process)
        return [json.loads(process.communicate()[0]) for process in processes]

    def _guarded(self) -> None:
        try:
            self._break_things()
        except BaseException as error:  # noqa: BLE001 - reported at the end of the run
            self._troubles.append(error)

    def _break_things(self) -> None:
        """Kill and restart as deliveries progress, so that a fast machine has as much of it."""
        plan = [("web", "worker")[number % 2] for number in range(self._kills_wanted)]
        shares = [0.9 * (number + 1) / (len(plan) + 1) for number in range(len(plan))]
        steps = [
            *((share, "kill", victim) for share, victim in zip(shares, plan, strict=True)),
            (0.3, "restart", "valkey"),
            (0.6, "restart", "postgres"),
        ]  # fmt: skip
        for share, action, what in sorted(steps):
            while self._progress() < share:
                if self._over.wait(0.05):
                    return
            if action == "restart":
                embedded.restart(what, INSTANCE)
                self.report.restarts[what] += 1
            elif what == "worker":
                self._worker.kill()
                self._worker.wait()
                self._worker = self._stack.start_worker(concurrency=1)
                self.report.kills[what] += 1
            else:
                children = Path(f"/proc/{self._web.pid}/task/{self._web.pid}/children")
                pids = children.read_text().split()
                if pids:
                    os.kill(int(self._random.choice(pids)), signal.SIGKILL)
                    self.report.kills[what] += 1

    def _progress(self) -> float:
        rows = self._ask("SELECT count(*) FROM shipcrowd_webhooks_webhookevent")
        return rows[0][0] / (self.report.deliveries * (1 - REPEATS)) if rows else 0.0

    def _ask(self, question: str) -> list[Any]:
        """The answer of the database; none while it is away."""
        try:
            with psycopg.connect(self._database, connect_timeout=2) as connection:
                return connection.execute(question).fetchall()
        except psycopg.OperationalError:
            return []

    def _wait_until_applied(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            left = self._ask(
                "SELECT count(*) FROM shipcrowd_webhooks_webhookevent WHERE state <> 'processed'"
            )
            if left and not left[0][0]:
                return
            time.sleep(0.2)

    def _compare(self, parcels: list[str], seen: list[dict[str, Any]]) -> None:
        """What the couriers were answered against what is stored, and what was made of it."""
        report = self.report
        bodies = deliveries(parcels, report.deliveries, report.seed)
        taken = {int(number) for one in seen for number in one["taken"]}
        report.taken = len(taken)
        report.sent = sum(one["sent"] for one in seen)
        for one in seen:
            report.refused.update(one["refused"])
        promised = {content_hash(bodies[number]) for number in taken}
        stored = {
            bytes(digest): state
            for digest, state in self._ask(
                "SELECT content_hash, state FROM shipcrowd_webhooks_webhookevent"
            )
        }
        report.events = len(stored)
        report.missing = len(promised - stored.keys())
        report.unprocessed = sum(stored.get(one) != "processed" for one in promised)
        expected = Counter(
            (event["id"], event["ctime"], event["status"])
            for event in map(json.loads, {bodies[number] for number in taken})
        )
        scans = Counter(
            (tracking_id, milliseconds, status)
            for tracking_id, milliseconds, status in self._ask(
                "SELECT p.tracking_id, (extract(epoch FROM s.at) * 1000)::bigint, s.courier_status"
                " FROM shipcrowd_couriers_scan s"
                " JOIN shipcrowd_couriers_shipment p ON p.id = s.shipment_id"
            )
        )
        report.scans = scans.total()
        if report.taken != report.deliveries:
            report.wrong.append(f"{report.deliveries - report.taken} never got a 200")
        if scans != expected:
            report.wrong.append(
                f"{(expected - scans).total()} scans are missing, "
                f"{(scans - expected).total()} are too many"
            )
        for name in ("missing", "unprocessed"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")
        statuses = dict(self._ask("SELECT tracking_id, status FROM shipcrowd_couriers_shipment"))
        last: dict[str, tuple[int, str]] = {}
        for tracking_id, ctime, status in expected:
            last[tracking_id] = max(last.get(tracking_id, (0, "")), (ctime, status))
        for tracking_id, (_, status) in last.items():
            if statuses.get(tracking_id) != WORDS[status]:
                report.wrong.append(f"{tracking_id} is {statuses.get(tracking_id)}, not {status}")
        report.wrong += [f"{type(error).__name__}: {error}" for error in self._troubles]
        if set(report.restarts) != {"valkey", "postgres"}:
            report.wrong.append("a server was not restarted")
        if report.kills.total() < self._kills_wanted:
            report.wrong.append(f"fewer than {self._kills_wanted} kills")
