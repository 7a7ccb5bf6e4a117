"""The demo: starts the platform, books the sample orders over the API and prints the results.

The company's rules choose among three couriers, each of which is a sandbox. It uses only what users
have: management commands, the API and callbacks. It can be run again: each run appends its start
time to the order numbers.
"""

from __future__ import annotations

import io
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse
from rich.console import Console
from rich.progress import Progress

from couriers.booking.spreadsheet import OrderLines, OrderProblem, draft_of, read_file
from couriers.contract.registry import AUTO
from couriers.contract.types import ShipmentDraft
from couriers.models.addresses import path_of
from sandbox.process import SandboxProcess
from shipcrowd.demo_couriers import COURIERS, DemoCourier
from shipcrowd.demo_orders import (
    DOUBT,
    FAIL_OVER,
    NDR,
    RULES,
    Order,
    doubt_order,
    fail_over_order,
    ndr_order,
    request_body,
    tomorrow,
)
from shipcrowd.demo_results import Result, result_of, sandbox_statuses, table_of
from shipcrowd.embedded import Servers
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, Stack, StackError

COMPANY = "demo"
# How the sandbox lets parcels end, in percent.
OUTCOMES = "delivered=60,undelivered=15,rto=25"
SAMPLE = Path("fixtures/orders_sample.csv")
LOGIN = "demo"
PORT = 8000  # a free port if this is taken
WORKERS = 8  # orders booked at once
MAX_WAIT = 120.0  # seconds for all parcels to reach their last status
RULES_PATH = "/api/v1/courier-rules/"


class DemoFailed(StackError):
    """A shipment did not reach the status that the sandbox gave it; the message says which."""


class Demo:
    """One run of the demo; `pace` is the seconds between two statuses of a parcel."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._console = Console()
        self._suffix = time.strftime("%m%d%H%M%S")
        self._processes = ExitStack()
        self._key = ""
        self._password = ""
        self._mended = False
        self._sandboxes: dict[str, SandboxProcess] = {}
        self._environment: dict[str, str] = {}

    def run(self, *, once: bool) -> None:
        """Start everything, book, wait and print; then serve until Ctrl-C unless `once`.

        Raises DemoFailed if a shipment's last status is not the one that the sandbox gave it.
        """
        with self._processes:
            self._start()
            orders = self._book()
            self._wait(orders)
            results = self._results(orders)
            self._print(orders, results)
            if wrong := [result.number for result in results.values() if not result.is_right]:
                raise DemoFailed(f"the sandbox sent it elsewhere: {', '.join(wrong)}")
            self._check_shown(results)
            if not once:
                self._serve()

    def _start(self) -> None:
        self._console.print("Migrating and seeding …")
        call_command("migrate", verbosity=0)
        self._create_user()
        flags = ("--pace", str(self._pace), "--outcomes", OUTCOMES)
        for courier in COURIERS:
            sandbox = self._processes.enter_context(courier.sandbox(*flags))
            self._sandboxes[courier.code] = sandbox
            self._environment |= courier.environment(sandbox.url, secrets.token_hex(12))
        self._stack = self._processes.enter_context(
            Stack(
                Servers(settings.DATABASE_URL, settings.REDIS_URL),
                {
                    "SECRET_KEY": settings.SECRET_KEY,
                    "FERNET_KEYS": ",".join(settings.FERNET_KEYS),
                    **self._environment,
                },
                port=PORT,
            )
        )
        first, *others = COURIERS
        seeded = {first.code: self._seed(first.code, "--new-key")}  # it makes the company
        self._key = seeded[first.code]["api_key"]
        self._console.print("Starting web server, workers and beat …")
        self._stack.start_demo_web()
        self._stack.start_worker(queues=INBOX_QUEUES)
        self._stack.start_worker(queues=OTHER_QUEUES)
        self._stack.start_beat()
        with ThreadPoolExecutor(len(others)) as pool:
            codes = [courier.code for courier in others]
            seeded |= zip(codes, pool.map(self._seed, codes), strict=True)
        self._stack.wait_until_ready()
        for courier in COURIERS:
            self._have_callbacks_sent(courier, seeded[courier.code]["webhook_url"])
        self._set_rules()

    def _seed(self, courier: str, *flags: str) -> dict[str, Any]:
        return self._stack.run_command(
            "seed_courier", courier, "--company", COMPANY, "--create", "--name", "Demo Traders",
            "--gstin", "29AAGCR4375J1ZU", "--address", "1, Example Road", "--state", "Karnataka",
            "--pincode", "560001", "--phone", "98450 12345", "--email", "demo@example.com",
            "--limit", "create_shipment=200/1s", "--test", *flags,
        )  # fmt: skip

    def _have_callbacks_sent(self, courier: DemoCourier, url: str) -> None:
        if courier.registers_webhooks:
            self._stack.run_command(
                "register_webhooks", courier.code, "--company", COMPANY, "--test"
            )
        elif not courier.is_polled:
            secret = self._environment[f"{courier.code}_WEBHOOK_SECRET".upper()]
            callback = {"url": url, "secret": secret}
            self._sandboxes[courier.code].post("/_sandbox/callback", callback)

    def _set_rules(self) -> None:
        """Have the company's rules be those of the demo."""
        for rule in self._stack.request("GET", RULES_PATH, key=self._key).json():
            self._stack.request("DELETE", f"{RULES_PATH}{rule['id']}/", key=self._key)
        for rule in RULES:
            status, answer = self._request("POST", RULES_PATH, rule)
            if status != 201:
                raise DemoFailed(f"the rule {rule['name']!r} is refused: {answer}")

    def _create_user(self) -> None:
        user, _ = get_user_model().objects.get_or_create(
            username=LOGIN, defaults={"is_staff": True, "is_superuser": True}
        )
        self._password = secrets.token_urlsafe(9)
        user.set_password(self._password)
        user.save()

    def _book(self) -> list[Order]:
        orders_to_book = read_file(Path(settings.BASE_DIR) / SAMPLE)
        with (
            Progress(console=self._console, transient=True) as bar,
            ThreadPoolExecutor(WORKERS) as pool,
        ):
            task = bar.add_task("Booking over the API", total=len(orders_to_book))
            orders = []
            for order in pool.map(self._book_lines, orders_to_book):
                orders.append(order)
                bar.advance(task)
        return [*orders, *self._book_shown()]

    def _book_shown(self) -> Iterator[Order]:
        """Book the orders that show a doubt, a fail-over, and a delivery that fails at first."""
        for draft in (doubt_order(self._suffix), ndr_order(self._suffix)):
            yield self._book_one(draft)
        delhivery = self._sandboxes["delhivery"]
        delhivery.switch(client_inactive=True)
        yield self._book_one(fail_over_order(self._suffix))
        delhivery.switch(client_inactive=False)

    def _book_lines(self, lines: OrderLines) -> Order:
        lines.order_number = f"{lines.order_number}-{self._suffix}"
        try:
            draft = draft_of(lines, AUTO)
        except OrderProblem as problem:
            return Order(lines.order_number, f"rejected: {problem}")
        if draft is None:
            return Order(lines.order_number, "skipped: nothing to ship")
        return self._book_one(draft)

    def _book_one(self, draft: ShipmentDraft) -> Order:
        status, answer = self._request("POST", "/api/v1/shipments/", request_body(draft))
        if status not in (201, 202):
            return Order(draft.order_number, f"rejected: {answer.get('detail', status)}")
        return Order(draft.order_number, answer["status"], answer["id"])

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        response = self._stack.request(method, path, body, key=self._key)
        return response.status, response.json()

    def _shipments(self) -> Iterator[dict[str, Any]]:
        """Yield this run's shipments from the API, newest first."""
        url: str | None = "/api/v1/shipments/?page_size=200"
        while url:
            _, page = self._request("GET", url)
            mine = [s for s in page["results"] if s["order_number"].endswith(self._suffix)]
            yield from mine
            url = page["next"] if mine else None

    def _wait(self, orders: list[Order]) -> None:
        """Wait until the sandboxes are done and the API shows their statuses, MAX_WAIT at most."""
        booked = sum(bool(order.shipment_id) for order in orders)
        deadline = time.monotonic() + MAX_WAIT
        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task("Parcels under way", total=booked)
            while time.monotonic() < deadline:
                shipments = list(self._shipments())
                self._mend(shipments)
                states = [sandbox.state() for sandbox in self._sandboxes.values()]
                is_over = sum(state["finished"] for state in states) >= booked
                expected = sandbox_statuses(self._sandboxes)
                arrived = sum(
                    s["status"] == expected.get(s["order_number"], ("", None))[1] for s in shipments
                )
                # Statuses on the way may match too, so the bar fills up only at the end.
                bar.update(task, completed=arrived if is_over else min(arrived, booked - 1))
                if is_over and arrived >= booked and self._mended:
                    return
                if is_over:
                    self._run_quietly("sync_tracking", "--minutes", "0")
                time.sleep(0.5)

    def _mend(self, shipments: list[dict[str, Any]]) -> None:
        """Have couriers asked about doubts, and ask for another attempt where one failed."""
        if any(shipment["status"] == "in_doubt" for shipment in shipments):
            self._run_quietly("reconcile_bookings")
        for shipment in shipments:
            is_ndr = shipment["order_number"].startswith(NDR)
            if is_ndr and shipment["status"] == "undelivered" and not self._mended:
                path = f"/api/v1/shipments/{shipment['id']}/reattempt/"
                status, answer = self._request("POST", path, {"date": tomorrow().isoformat()})
                if status not in (200, 202):
                    raise DemoFailed(f"the other attempt is refused: {answer}")
                self._mended = True

    def _run_quietly(self, command: str, *arguments: str) -> None:
        call_command(command, *arguments, "--json", stdout=io.StringIO())

    def _results(self, orders: list[Order]) -> dict[str, Result]:
        """Return for each booked order what came of it, here and at the sandbox."""
        shown = {s["order_number"]: s for s in self._shipments()}
        expected = sandbox_statuses(self._sandboxes)
        return {
            order.number: result_of(
                order, shown.get(order.number), expected.get(order.number, ("nowhere", None))
            )
            for order in orders
            if order.shipment_id
        }

    def _check_shown(self, results: dict[str, Result]) -> None:
        """Raise DemoFailed if a doubt, fail-over or attempt was not what it was to show."""
        of = {result.number.removesuffix(f"-{self._suffix}"): result for result in results.values()}
        happened = {
            "a doubt": DOUBT in of and of[DOUBT].first_answer == "in_doubt",
            "a fail-over": FAIL_OVER in of and of[FAIL_OVER].attempts > 1,
            "another attempt": NDR in of and of[NDR].status == "delivered",
        }
        if missing := [name for name, was_seen in happened.items() if not was_seen]:
            raise DemoFailed(f"not seen: {', '.join(missing)}")

    def _print(self, orders: list[Order], results: dict[str, Result]) -> None:
        say = self._console.print
        say(table_of(orders, results))
        counts = Counter(result.status for result in results.values())
        say(f"{len(orders)} orders, {len(results)} booked: " + ", ".join(
            f"{count} {status}" for status, count in counts.most_common()
        ))  # fmt: skip
        site = self._stack.url
        login = f"user {LOGIN}, password {self._password}"
        say(f"Admin          {site}{reverse('admin:index')}  ({login})")
        docs = path_of("couriers_api:docs")
        say(f"API docs       {site}{docs}  (Authorization: Api-Key {self._key})")
        if shipment := next(self._shipments(), None):
            say(f"Tracking page  {shipment['tracking_url']}")

    def _serve(self) -> None:
        try:
            self._console.print("Serving until Ctrl-C.")
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            self._console.print("Stopping.")
