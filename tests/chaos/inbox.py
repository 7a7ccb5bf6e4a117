"""Chaos for the inbox: a courier sends each callback until it gets a 200, while failures happen.

Web and worker processes are killed, Valkey and PostgreSQL are restarted. Then the stored events and
scans are compared one by one with the callbacks that got a 200.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.callback_sender import REPEATS, STATUSES, make_deliveries, stored_hash
from tests.chaos.harness import CLIENTS, SECRET, THREADS, ChaosRun, RunReport

PARCELS_SHARE = 0.05  # parcels for each delivery
MAX_IDLE_WAIT = 180  # seconds after the last delivery until all events must be processed
SECRET_KEY = "a-secret-key-of-chaos-runs"  # by which the platform hashes contents


@dataclass(kw_only=True)
class InboxReport(RunReport):
    """The results of a run. `missing` events are not stored, `unprocessed` ones not applied."""

    deliveries: int
    accepted: int = 0
    sent: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    events: int = 0
    scans: int = 0
    missing: int = 0
    unprocessed: int = 0

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        failures = ", ".join(f"{n} {failure}" for failure, n in sorted(self.failures.items()))
        return [
            f"seed {self.seed}: {self.deliveries} deliveries, each until its 200, in "
            f"{self.seconds:.0f} s; sent {self.sent} times ({failures or 'no failures'})",
            f"killed: {self.killed()}; restarted: {self.restarted()}",
            f"accepted {self.accepted}, which are {self.events} events; missing {self.missing}, "
            f"not processed {self.unprocessed}; {self.scans} scans, each once",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class InboxChaos(ChaosRun):
    """The platform and a courier whose callbacks it receives."""

    name = "chaos-inbox"
    client = "tests.chaos.callback_sender"
    restarts_at = {"valkey": 0.3, "postgres": 0.6}

    def __init__(self, deliveries: int, seed: int, kills: int) -> None:
        self.report = InboxReport(seed=seed, deliveries=deliveries)
        super().__init__(self.report, kills)

    def run(self) -> InboxReport:
        """Run it and return the report, whose `wrong` is empty if every promise held."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        return {"EKART_BASE_URL": "http://127.0.0.1:9", "SECRET_KEY": SECRET_KEY}

    def _prepare(self) -> list[dict[str, Any]]:
        seeded = self._seed()
        self._account_id = str(seeded["account_id"])
        count = max(20, int(self.report.deliveries * PARCELS_SHARE))
        created = self._stack.run_module("tests.chaos.parcels", {"PARCELS": str(count)})
        assert created is not None
        self._parcels = list(created["tracking_ids"])
        self._start_platform()
        return [
            {
                "port": self._stack.port, "path": urlsplit(seeded["webhook_url"]).path,
                "secret": SECRET, "parcels": self._parcels, "deliveries": self.report.deliveries,
                "seed": self.report.seed, "share": [number, CLIENTS], "threads": THREADS,
            }
            for number in range(CLIENTS)
        ]  # fmt: skip

    def _kill_targets(self) -> list[str]:
        return ["web", "worker"]

    def _progress(self) -> float:
        rows = self._query("SELECT count(*) FROM shipcrowd_webhooks_webhookevent")
        return rows[0][0] / (self.report.deliveries * (1 - REPEATS)) if rows else 0.0

    def _wait_until_idle(self) -> None:
        deadline = time.monotonic() + MAX_IDLE_WAIT
        while time.monotonic() < deadline:
            rows = self._query(
                "SELECT count(*) FROM shipcrowd_webhooks_webhookevent WHERE state <> 'processed'"
            )
            if rows and not rows[0][0]:
                return
            time.sleep(0.2)

    def _compare(self, results: list[dict[str, Any]]) -> None:
        report = self.report
        bodies = make_deliveries(self._parcels, report.deliveries, report.seed)
        accepted = {int(number) for result in results for number in result["accepted"]}
        report.accepted = len(accepted)
        report.sent = sum(result["sent"] for result in results)
        for result in results:
            report.failures.update(result["failures"])
        if report.accepted != report.deliveries:
            report.wrong.append(f"{report.deliveries - report.accepted} never got a 200")
        accepted_bodies = {bodies[number] for number in accepted}
        self._compare_events(accepted_bodies)
        expected = Counter(
            (event["id"], event["ctime"], event["status"])
            for event in map(json.loads, accepted_bodies)
        )
        self._compare_scans(expected)
        self._compare_statuses(expected)

    def _compare_events(self, accepted_bodies: set[bytes]) -> None:
        """Check that each accepted content is stored and processed."""
        report = self.report
        accepted = {stored_hash(SECRET_KEY, self._account_id, body) for body in accepted_bodies}
        stored = {
            bytes(digest): state
            for digest, state in self._query(
                "SELECT content_hash, state FROM shipcrowd_webhooks_webhookevent"
            )
        }
        report.events = len(stored)
        report.missing = len(accepted - stored.keys())
        report.unprocessed = sum(stored.get(digest) != "processed" for digest in accepted)
        for name in ("missing", "unprocessed"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")

    def _compare_scans(self, expected: Counter[tuple[str, int, str]]) -> None:
        """Check that each event made one scan: tracking id, milliseconds, courier's status."""
        scans = Counter(
            (tracking_id, milliseconds, status)
            for tracking_id, milliseconds, status in self._query(
                "SELECT p.tracking_id, (extract(epoch FROM s.at) * 1000)::bigint, s.courier_status"
                " FROM shipcrowd_couriers_scan s"
                " JOIN shipcrowd_couriers_shipment p ON p.id = s.shipment_id"
            )
        )
        self.report.scans = scans.total()
        if scans != expected:
            self.report.wrong.append(
                f"{(expected - scans).total()} scans are missing, "
                f"{(scans - expected).total()} are too many"
            )

    def _compare_statuses(self, expected: Counter[tuple[str, int, str]]) -> None:
        """Check that each shipment has the status of its latest scan."""
        statuses = dict(self._query("SELECT tracking_id, status FROM shipcrowd_couriers_shipment"))
        latest: dict[str, tuple[int, str]] = {}
        for tracking_id, ctime, status in expected:
            latest[tracking_id] = max(latest.get(tracking_id, (0, "")), (ctime, status))
        for tracking_id, (_, status) in latest.items():
            if statuses.get(tracking_id) != STATUSES[status]:
                self.report.wrong.append(
                    f"{tracking_id} is {statuses.get(tracking_id)}, not {STATUSES[status]}"
                )
