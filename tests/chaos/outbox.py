"""Chaos for the outbox: shipments change while everything fails, and a merchant is told of it.

Callbacks let each parcel pass through all its statuses. Web, worker and beat processes are killed,
Valkey and PostgreSQL are restarted, and the merchant's server fails one delivery in five. Meanwhile
a storefront reads the events by cursor. Then both lists are compared with what the courier sent:
each parcel's changes, in their order, each under one id, and no other.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from couriers.conf import Queue
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES
from tests.chaos.change_sender import STEPS
from tests.chaos.harness import CLIENTS, SECRET, THREADS, ChaosRun, RunReport
from tests.chaos.receiver import ChaosReceiver

MAX_WAIT = 1800.0  # seconds until the callbacks of a turn are applied, and until all is told
FIRST_STATUS = "booked"  # of each parcel, which is no change
PAGE = 200  # events
_UNAPPLIED = "SELECT count(*) FROM shipcrowd_webhooks_webhookevent WHERE state <> 'processed'"
_DELIVERED = "SELECT count(*) FROM shipcrowd_webhooks_webhookdelivery WHERE state = 'delivered'"
_UNTOLD = """
SELECT (SELECT count(*) FROM shipcrowd_webhooks_webhookdelivery WHERE state <> 'delivered')
    + (SELECT count(*) FROM shipcrowd_couriers_event AS event
       CROSS JOIN shipcrowd_webhooks_webhookendpoint AS endpoint
       WHERE event.position IS NULL OR event.position > endpoint.read_to)
"""
Told = Mapping[str, Mapping[str, Any]]  # events by id, in the order in which they were told first


@dataclass(kw_only=True)
class OutboxReport(RunReport):
    """The results of a run.

    `taken` counts the deliveries that the merchant's server took, repeats too. `lost` changes were
    not told, `invented` ones did not happen, and `disordered` parcels were told their changes in
    another order. All three are summed over what was sent and what was read.
    """

    changes: int
    sent: int = 0
    taken: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    read: int = 0
    polls: int = 0
    failed_polls: int = 0
    lost: int = 0
    invented: int = 0
    disordered: int = 0

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        failures = ", ".join(f"{n} {failure}" for failure, n in sorted(self.failures.items()))
        return [
            f"seed {self.seed}: {self.changes} changes, all told after {self.seconds:.0f} s",
            f"killed: {self.killed()}; restarted: {self.restarted()}",
            f"sent {self.sent} events, taken {self.taken} times ({failures or 'no failures'}); "
            f"read {self.read} by cursor in {self.polls} polls, {self.failed_polls} of them failed",
            f"lost {self.lost}, invented {self.invented}, disordered {self.disordered}",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]


class OutboxChaos(ChaosRun):
    """The platform, a courier that calls back, a merchant's server and a storefront that polls."""

    name = "chaos-outbox"
    client = "tests.chaos.change_sender"
    restarts_at = {"valkey": 0.3, "postgres": 0.6}
    queues = (
        INBOX_QUEUES, (Queue.OUTBOX,),
        tuple(queue for queue in OTHER_QUEUES if queue is not Queue.OUTBOX),
    )  # fmt: skip

    def __init__(self, changes: int, seed: int, kills: int) -> None:
        self._count = -(-changes // len(STEPS))  # parcels
        self.report = OutboxReport(seed=seed, changes=self._count * len(STEPS))
        self._polled: list[dict[str, Any]] = []
        self._cursor: str | None = None
        super().__init__(self.report, kills)

    def run(self) -> OutboxReport:
        """Run it and return the report, whose `wrong` is empty if every promise held."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        self._receiver = opened.enter_context(ChaosReceiver(self.report.seed))
        return {"EKART_BASE_URL": "http://127.0.0.1:9"}

    def _prepare(self) -> list[dict[str, Any]]:
        seeded = self._seed()
        self._key = seeded["api_key"]
        created = self._stack.run_module("tests.chaos.parcels", {"PARCELS": str(self._count)})
        assert created is not None
        self._start_platform()
        endpoint = self._stack.request(
            "POST", "/api/v1/webhook-endpoints/", {"url": self._receiver.url}, key=self._key
        )
        assert endpoint.status == 201, endpoint.text
        self._receiver.secret = endpoint.json()["secret"]
        return [
            {
                "port": self._stack.port, "path": urlsplit(seeded["webhook_url"]).path,
                "secret": SECRET, "parcels": created["tracking_ids"],
                "share": [number, CLIENTS], "threads": THREADS,
            }
            for number in range(CLIENTS)
        ]  # fmt: skip

    def _run_clients(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send the callbacks turn by turn, so that each of them is a change; wait for the end.

        Failures are injected until all changes are told.
        """
        results = []
        for turn in range(len(STEPS)):
            results += super()._run_clients([task | {"turn": turn} for task in tasks])
            self._wait_for_none(_UNAPPLIED)
        self._wait_for_none(_UNTOLD)
        return results

    def _wait_for_none(self, query: str) -> None:
        """Wait until the query counts nothing, MAX_WAIT seconds at most."""
        deadline = time.monotonic() + MAX_WAIT
        while time.monotonic() < deadline:
            rows = self._query(query)
            if rows and not rows[0][0]:
                return
            time.sleep(0.2)

    def _kill_targets(self) -> list[str]:
        return ["web", "worker", "worker", "beat"]

    def _progress(self) -> float:
        rows = self._query(_DELIVERED)
        return rows[0][0] / self.report.changes if rows else 0.0

    def _background_work(self) -> Iterable[Callable[[], None]]:
        return (self._poll_until_over,)

    def _poll_until_over(self) -> None:
        while not self._over.wait(0 if self._poll() else 0.3):
            pass

    def _poll(self) -> bool:
        """Read a page from where the last one ended; return whether it had events."""
        query = {"page_size": str(PAGE)} | ({"cursor": self._cursor} if self._cursor else {})
        self.report.polls += 1
        try:
            answer = self._stack.request(
                "GET", f"/api/v1/events/?{urlencode(query)}", key=self._key, timeout=30
            )
        except OSError:
            answer = None
        if answer is None or answer.status != 200:
            self.report.failed_polls += 1
            return False
        page = answer.json()
        self._cursor = page["cursor"]
        self._polled += page["results"]
        return bool(page["results"])

    def _wait_until_idle(self) -> None:
        while self._poll():
            pass

    def _compare(self, results: list[dict[str, Any]]) -> None:
        report = self.report
        accepted = sum(len(result["accepted"]) for result in results)
        if accepted != report.changes:
            report.wrong.append(f"only {accepted} callbacks got a 200")
        report.wrong += self._receiver.wrong
        report.failures, report.taken = self._receiver.failures, len(self._receiver.taken)
        sent: dict[str, dict[str, Any]] = {}
        for pk, content in self._receiver.taken:
            sent.setdefault(pk, content)
        read = {event["id"]: event for event in self._polled}
        report.sent, report.read = len(sent), len(read)
        if len(read) != len(self._polled):
            report.wrong.append(f"{len(self._polled) - len(read)} events were read twice")
        if any(sent[pk]["data"] != read[pk]["data"] for pk in sent.keys() & read.keys()):
            report.wrong.append("an event was sent with other data than it was read")
        ids = [pk for (pk,) in self._query("SELECT id FROM shipcrowd_couriers_shipment")]
        for told in (sent, read):
            self._compare_told(told, ids)
        for name in ("lost", "invented", "disordered"):
            if getattr(report, name):
                report.wrong.append(f"{getattr(report, name)} {name}")

    def _compare_told(self, told: Told, parcels: Iterable[str]) -> None:
        """Compare what was told of each parcel with the statuses that the courier sent."""
        statuses = [FIRST_STATUS, *STEPS.values()]
        order = list(itertools.pairwise(statuses))
        expected = Counter(order)
        changes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for event in told.values():
            shipment = event["data"]["shipment"]
            changes[shipment["id"]].append((shipment["previous_status"], shipment["status"]))
        for parcel in {*parcels, *changes}:
            found = Counter(changes[parcel])
            self.report.lost += (expected - found).total()
            self.report.invented += (found - expected).total()
            turns = [order.index(change) for change in changes[parcel] if change in order]
            self.report.disordered += turns != sorted(turns)
