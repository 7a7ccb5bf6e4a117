"""The demo: starts the platform, books the sample orders over the API and prints the results.

It uses only what users have: management commands, the API and callbacks. It can be run again:
each run appends its start time to the order numbers.
"""

from __future__ import annotations

import dataclasses
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
from rich.table import Table

from couriers.booking.spreadsheet import OrderLines, OrderProblem, draft_of, read_file
from couriers.contract.types import ShipmentDraft
from couriers.models.addresses import path_of
from sandbox.process import SandboxProcess
from shipcrowd.embedded import Servers
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, SANDBOX_LOGIN, Stack, StackError

COMPANY = "demo"
# How the sandbox lets parcels end, in percent.
OUTCOMES = "delivered=60,undelivered=15,rto=25"
SAMPLE = Path("fixtures/orders_sample.csv")
LOGIN = "demo"
PORT = 8000  # a free port if this is taken
WORKERS = 8  # orders booked at once
MAX_WAIT = 120.0  # seconds for all parcels to reach their last status
# The platform's status for each last status of the sandbox.
LAST_STATUSES = {
    "Delivered": "delivered",
    "Undelivered": "undelivered",
    "RTO Delivered": "rto_delivered",
}


class DemoFailed(StackError):
    """A shipment did not reach the status that the sandbox gave it; the message says which."""


@dataclasses.dataclass(slots=True)
class Order:
    """One sample order. `result` is its status after booking, or why it was not booked."""

    number: str
    result: str
    shipment_id: str = ""
    tracking_id: str = ""


class Demo:
    """One run of the demo; `pace` is the seconds between two statuses of a parcel."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._console = Console()
        self._suffix = time.strftime("%m%d%H%M%S")
        self._processes = ExitStack()
        self._key = ""
        self._password = ""

    def run(self, *, once: bool) -> None:
        """Start everything, book, wait and print; then serve until Ctrl-C unless `once`.

        Raises DemoFailed if a shipment's last status is not the one that the sandbox gave it.
        """
        with self._processes:
            sandbox = self._start()
            orders = self._book()
            self._wait(sandbox, orders)
            statuses = self._compare(sandbox, orders)
            self._print(orders, statuses)
            wrong = [n for n, (actual, expected) in statuses.items() if actual != expected]
            if wrong:
                raise DemoFailed(f"the status differs from the sandbox's: {', '.join(wrong)}")
            if not once:
                self._serve()

    def _start(self) -> SandboxProcess:
        self._console.print("Migrating and seeding …")
        call_command("migrate", verbosity=0)
        self._create_user()
        flags = ("--pace", str(self._pace), "--outcomes", OUTCOMES)
        sandbox = self._processes.enter_context(SandboxProcess("ekart", *flags))
        self._stack = self._processes.enter_context(
            Stack(
                Servers(settings.DATABASE_URL, settings.REDIS_URL),
                {
                    "SECRET_KEY": settings.SECRET_KEY,
                    "FERNET_KEYS": ",".join(settings.FERNET_KEYS),
                    "EKART_BASE_URL": sandbox.url,
                    "EKART_WEBHOOK_SECRET": secrets.token_hex(12),
                    **SANDBOX_LOGIN,
                },
                port=PORT,
            )
        )
        seeded = self._stack.run_command(
            "seed_courier", "ekart", "--company", COMPANY, "--create", "--name", "Demo Traders",
            "--gstin", "29AAGCR4375J1ZU", "--address", "1, Example Road", "--state", "Karnataka",
            "--pincode", "560001", "--phone", "98450 12345", "--new-key",
            "--limit", "create_shipment=200/1s", "--test",
        )  # fmt: skip
        self._key = seeded["api_key"]
        self._console.print("Starting web server, workers and beat …")
        self._stack.start_demo_web()
        self._stack.start_worker(queues=INBOX_QUEUES)
        self._stack.start_worker(queues=OTHER_QUEUES)
        self._stack.start_beat()
        self._stack.wait_until_ready()
        self._stack.run_command("register_webhooks", "ekart", "--company", COMPANY, "--test")
        return sandbox

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
            for order in pool.map(self._book_one, orders_to_book):
                orders.append(order)
                bar.advance(task)
        return orders

    def _book_one(self, lines: OrderLines) -> Order:
        lines.order_number = f"{lines.order_number}-{self._suffix}"
        try:
            draft = draft_of(lines, "ekart")
        except OrderProblem as problem:
            return Order(lines.order_number, f"rejected: {problem}")
        if draft is None:
            return Order(lines.order_number, "skipped: nothing to ship")
        status, answer = self._request("POST", "/api/v1/shipments/", _request_body(draft))
        if status not in (201, 202):
            return Order(lines.order_number, f"rejected: {answer.get('detail', status)}")
        return Order(
            lines.order_number, answer["status"], answer["id"], answer.get("tracking_id", "")
        )

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

    def _wait(self, sandbox: SandboxProcess, orders: list[Order]) -> None:
        """Wait until the sandbox is done and the API shows its statuses, or MAX_WAIT is over."""
        booked = sum(bool(order.shipment_id) for order in orders)
        deadline = time.monotonic() + MAX_WAIT
        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task("Parcels under way", total=booked)
            while time.monotonic() < deadline:
                expected = {
                    s["tracking_id"]: LAST_STATUSES.get(s["status"]) for s in sandbox.shipments()
                }
                finished = sandbox.state()["finished"]
                arrived = sum(
                    s["status"] == expected.get(s["tracking_id"], "") for s in self._shipments()
                )
                # Statuses on the way may match too, so the bar fills up only at the end.
                bar.update(
                    task, completed=arrived if finished >= booked else min(arrived, booked - 1)
                )
                if finished >= booked and arrived >= booked:
                    return
                time.sleep(0.5)

    def _compare(
        self, sandbox: SandboxProcess, orders: list[Order]
    ) -> dict[str, tuple[str, str | None]]:
        """Return for each booked order its status and the one that the sandbox gave it."""
        actual = {s["order_number"]: s["status"] for s in self._shipments()}
        expected = {s["order_number"]: LAST_STATUSES.get(s["destiny"]) for s in sandbox.shipments()}
        return {
            order.number: (actual.get(order.number, "lost"), expected.get(order.number))
            for order in orders
            if order.shipment_id
        }

    def _print(self, orders: list[Order], statuses: dict[str, tuple[str, str | None]]) -> None:
        table = Table(title="Results")
        for column in ("order", "tracking id", "status", "sandbox's status"):
            table.add_column(column)
        for order in orders:
            if order.number in statuses:
                table.add_row(order.number, order.tracking_id, *statuses[order.number])
            else:
                table.add_row(order.number, "", order.result, "")
        say = self._console.print
        say(table)
        counts = Counter(status for status, _ in statuses.values())
        say(f"{len(orders)} orders, {len(statuses)} booked: " + ", ".join(
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


def _request_body(draft: ShipmentDraft) -> dict[str, Any]:
    """Return the JSON that a storefront sends to book the draft."""
    body: dict[str, Any] = {
        "courier": draft.courier,
        "order_number": draft.order_number,
        "order_date": draft.order_date.isoformat(),
        "payment_mode": str(draft.payment_mode),
        "consignee": dataclasses.asdict(draft.consignee),
        "items": [
            dataclasses.asdict(item) | {"value": str(item.value), "gst_rate": str(item.gst_rate)}
            for item in draft.items
        ],
        "parcel": dataclasses.asdict(draft.parcel),
    }
    if draft.cod_amount:
        body["cod_amount"] = str(draft.cod_amount)
    return body
