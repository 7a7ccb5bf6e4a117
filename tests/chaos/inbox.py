"""Chaos for the inbox: a courier that delivers until it gets a 200, while everything breaks.

Web and worker processes are killed, Valkey and PostgreSQL restarted. Then the table is compared
with what the courier was answered, event by event and scan by scan.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.breaking import CLIENTS, SECRET, THREADS, Breakage, BreakingRun
from tests.chaos.callbacks import REPEATS, WORDS, content_hash, deliveries

PARCELS_SHARE = 0.05  # of the deliveries
# After the last delivery, until nothing is due any more (seconds).
PATIENCE = 180


@dataclass(kw_only=True)
class InboxReport(Breakage):
    """What came of a run."""

    deliveries: int
    taken: int = 0
    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    events: int = 0
    scans: int = 0
    missing: int = 0
    unprocessed: int = 0

    def lines(self) -> list[str]:
        """The figures, for people."""
        trouble = ", ".join(f"{n} {why}" for why, n in sorted(self.refused.items()))
        return [
            f"seed {self.seed}: {self.deliveries} deliveries, each until its 200, in "
            f"{self.seconds:.0f} s; sent {self.sent} times ({trouble or 'no trouble'})",
            f"killed: {self.killed()}; restarted: {self.restarted()}",
            f"taken {self.taken}, which are {self.events} events; missing {self.missing}, not "
            f"processed {self.unprocessed}; {self.scans} scans, each once",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class InboxChaos(BreakingRun):
    """The platform, couriers that call back, and what is done to them."""

    name = "chaos-inbox"
    client = "tests.chaos.callbacks"
    restarts_at = {"valkey": 0.3, "postgres": 0.6}

    def __init__(self, deliveries: int, seed: int, kills: int) -> None:
        self.report = InboxReport(seed=seed, deliveries=deliveries)
        super().__init__(self.report, kills)

    def run(self) -> InboxReport:
        """Do it all; the report tells what broke."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        return {"EKART_BASE_URL": "http://127.0.0.1:9"}

    def _prepared(self) -> list[dict[str, Any]]:
        seeded = self._seed()
        count = max(20, int(self.report.deliveries * PARCELS_SHARE))
        made = self._stack.run_module("tests.chaos.parcels", {"PARCELS": str(count)})
        assert made is not None
        self._parcels = list(made["tracking_ids"])
        self._start_platform()
        return [
            {
                "port": self._stack.port, "path": f"/webhooks/ekart/{seeded['account_id']}/",
                "secret": SECRET, "parcels": self._parcels, "deliveries": self.report.deliveries,
                "seed": self.report.seed, "share": [number, CLIENTS], "threads": THREADS,
            }
            for number in range(CLIENTS)
        ]  # fmt: skip

    def _victims(self) -> list[str]:
        return ["web", "worker"]

    def _progress(self) -> float:
        rows = self._ask("SELECT count(*) FROM shipcrowd_webhooks_webhookevent")
        return rows[0][0] / (self.report.deliveries * (1 - REPEATS)) if rows else 0.0

    def _come_to_rest(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            left = self._ask(
                "SELECT count(*) FROM shipcrowd_webhooks_webhookevent WHERE state <> 'processed'"
            )
            if left and not left[0][0]:
                return
            time.sleep(0.2)

    def _compare(self, seen: list[dict[str, Any]]) -> None:
        """What the couriers were answered against what is stored, and what was made of it."""
        report = self.report
        bodies = deliveries(self._parcels, report.deliveries, report.seed)
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
