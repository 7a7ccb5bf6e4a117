"""Chaos for bookings: storefronts book over HTTP while everything that can fail does.

A tenth of the couriers' calls fail. Web and worker processes are killed at random and at each named
step of the protocol, Valkey and PostgreSQL are restarted, and leases run out early. What the
couriers' callbacks do not settle, the platform does where a courier can be asked, and an operator
elsewhere. Then the sandboxes' shipments are compared with the platform's, order by order.

With several couriers each order is left to the company's rules, and goes on to the next courier
where one does not take it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from couriers.booking.steps import Step
from tests.chaos.comparison import Comparison, at_couriers, stored_bookings
from tests.chaos.couriers import EKART, Callbacks, ChaosCourier, Operator, fail_over_rules
from tests.chaos.harness import CLIENTS, COMPANY, SECRET, THREADS, ChaosRun
from tests.chaos.report import BookingReport

# How long the operator waits for the couriers' callbacks before settling a doubt, in seconds.
OPERATOR_WAIT = 6.0
MAX_IDLE_WAIT = 180  # seconds after the last booking until everything must be settled


class BookingChaos(ChaosRun):
    """The platform, the couriers' sandboxes, storefronts and an operator."""

    name = "chaos"
    client = "tests.chaos.storefront"
    application = "tests.chaos.wsgi"
    restarts_at = {"valkey": 0.35, "postgres": 0.65}

    def __init__(
        self, bookings: int, seed: int, kills: int, couriers: Sequence[ChaosCourier] = (EKART,)
    ) -> None:
        names = ", ".join(courier.code for courier in couriers)
        self.report = BookingReport(seed=seed, bookings=bookings, couriers=names)
        self._seen_in_doubt: set[str] = set()
        self._cut_off: set[str] = set()
        self._is_by_rule = len(couriers) > 1
        self._order_numbers = [f"C-{number:06d}" for number in range(bookings)]
        super().__init__(self.report, kills, couriers)

    def run(self) -> BookingReport:
        """Run it and return the report, whose `wrong` is empty if every promise held."""
        self._run()
        return self.report

    def _environment(self, opened: ExitStack) -> dict[str, str]:
        self._kill_requests = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        self._sandboxes = {
            courier.code: opened.enter_context(courier.sandbox(self.report.seed))
            for courier in self._couriers
        }
        urls = {f"{code}_base_url".upper(): box.url for code, box in self._sandboxes.items()}
        return urls | {"CHAOS_DIR": str(self._kill_requests)}

    def _prepare(self) -> list[dict[str, Any]]:
        seeded = {one.code: self._seed(one, *one.limits) for one in self._couriers}
        key = seeded[self._couriers[0].code]["api_key"]
        if self._is_by_rule:
            rules = json.dumps(fail_over_rules(self._couriers))
            made = self._stack.run_module("tests.support.courier_rules", {"COURIER_RULES": rules})
            assert made is not None
        self._start_platform()
        for courier in self._couriers:
            self._have_callbacks_sent(courier, seeded[courier.code]["webhook_url"])
        self._operator = self._stack.start_interactive(
            "tests.chaos.operator",
            {"OPERATOR_TASKS": json.dumps(self._operator_tasks()),
             "OPERATOR_WAIT": str(OPERATOR_WAIT)},
        )  # fmt: skip
        for courier in self._couriers:
            self._sandboxes[courier.code].set_faults(*courier.faults)
        return [
            {
                "url": self._stack.url,
                "key": key,
                "courier": "auto" if self._is_by_rule else self._couriers[0].code,
                "orders": self._order_numbers[number::CLIENTS],
                "threads": THREADS,
                "seed": self.report.seed + number,
            }
            for number in range(CLIENTS)
        ]

    def _operator_tasks(self) -> dict[str, dict[str, str]]:
        """Return the sandbox of each courier whose doubts an operator settles, and which ones."""
        return {
            courier.code: {
                "sandbox": self._sandboxes[courier.code].url, "settles": courier.operator,
            }
            for courier in self._couriers
            if courier.operator is not Operator.NOBODY
        }  # fmt: skip

    def _have_callbacks_sent(self, courier: ChaosCourier, url: str) -> None:
        if courier.callbacks is Callbacks.REGISTERED:
            self._stack.run_command("register_webhooks", courier.code, "--company", COMPANY)
        elif courier.callbacks is Callbacks.TOLD:
            sandbox = self._sandboxes[courier.code]
            sandbox.post("/_sandbox/callback", {"url": url, "secret": SECRET})

    def _kill_targets(self) -> list[str]:
        return [*Step, "web", "worker"]

    def _progress(self) -> float:
        orders = sum(sandbox.state()["orders"] for sandbox in self._sandboxes.values())
        return float(orders) / self.report.bookings

    def _background_work(self) -> Iterable[Callable[[], None]]:
        if not self._operator_tasks():
            return (self._watch_doubts,)
        return (self._operate, self._watch_doubts)

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
        self.report.released.update(result["released"])
        self.report.resolved.update(result["resolved"])
        return int(result["left"])

    def _wait_until_idle(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.set_faults()
        deadline = time.monotonic() + MAX_IDLE_WAIT
        while time.monotonic() < deadline:
            pending = sum(box.state()["callbacks_pending"] for box in self._sandboxes.values())
            if pending == 0 and self._settle_old_doubts() == 0:
                return
            time.sleep(1)

    def _compare(self, results: list[dict[str, Any]]) -> None:
        self._count(results)
        comparison = Comparison(
            at_couriers(self._sandboxes), stored_bookings(self._database), results
        )
        comparison.fill(self.report, self._order_numbers)
        for result in results:
            self.report.wrong += result["unexpected"]
            self.report.wrong += [
                f"{number} was answered with different bodies" for number in result["bodies_differ"]
            ]
            if not self._is_by_rule:
                self.report.wrong += [f"{n} was refused: {t}" for n, t in result["refused"].items()]
        self.report.check()

    def _count(self, results: list[dict[str, Any]]) -> None:
        report = self.report
        report.requests = sum(result["requests"] for result in results)
        for courier in self._couriers:
            sandbox = self._sandboxes[courier.code]
            invalid = list(sandbox.invalid_requests())
            report.invalid_requests += len(invalid)
            report.wrong += [f"{courier.code} was sent an invalid {sent}" for sent in invalid[:5]]
            faults = sandbox.state()["faults"]
            report.faults += sum(faults.values())
            report.injected_unknown += sum(
                count
                for name, count in faults.items()
                if name.startswith(f"{courier.create}:")
                and not name.endswith(courier.known_outcome)
            )
        with psycopg.connect(self._database) as connection:
            rows = connection.execute(
                "SELECT DISTINCT s.order_number FROM shipcrowd_couriers_couriercall c"
                " JOIN shipcrowd_couriers_shipment s ON s.id = c.shipment_id"
                " WHERE c.outcome IN ('unknown', 'pending')"
            ).fetchall()
        answered_202 = {number for result in results for number in result["in_doubt"]}
        unknown_calls = {number for (number,) in rows}
        counted = self._query(
            "SELECT count(DISTINCT shipment_id) FROM shipcrowd_couriers_bookingattempt attempt"
            " JOIN shipcrowd_couriers_shipment shipment ON shipment.id = attempt.shipment_id"
            " WHERE attempt.courier_id <> shipment.courier_id"
        )
        report.failed_over = int(counted[0][0]) if counted else 0
        report.cut_off = len(self._cut_off)
        report.ever_in_doubt = len(self._seen_in_doubt | answered_202 | unknown_calls)
