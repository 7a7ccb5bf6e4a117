"""The demo: starts what production runs, books the sample orders over HTTP, shows what happened.

Everything is done as its users do it: by commands, by the API, by callbacks. A run can be
repeated: it books orders of its own, marked with the time it started.
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
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from couriers.booking.spreadsheet import LineProblem, OrderLines, draft_of, read_file
from couriers.contract.types import ShipmentDraft
from sandbox.process import SandboxProcess
from shipcrowd.embedded import Servers
from shipcrowd.stack import SANDBOX_LOGIN, Stack, StackError

COMPANY = "demo"
OUTCOMES = "delivered=60,undelivered=15,rto=25"
SAMPLE = Path("fixtures/orders_sample.csv")
LOGIN = "demo"
PORT = 8000  # or a free one, where this is taken
WORKERS = 8
PATIENCE = 120.0  # seconds for the parcels to arrive
# What the sandbox's ends are called here.
ENDS = {"Delivered": "delivered", "Undelivered": "undelivered", "RTO Delivered": "rto_delivered"}


class DemoFailed(StackError):
    """The demo did not end as it should; the message says where."""


@dataclasses.dataclass(slots=True)
class Order:
    """One sample order and what became of it."""

    number: str
    outcome: str
    shipment_id: str = ""
    tracking_id: str = ""


class Demo:
    """One run."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._console = Console()
        self._run = time.strftime("%m%d%H%M%S")
        self._opened = ExitStack()
        self._key = ""
        self._password = ""

    def run(self, *, once: bool) -> None:
        """Start everything, book, wait, print; then serve until Ctrl-C unless `once`.

        Raises DemoFailed if any shipment did not end where the sandbox sent it.
        """
        with self._opened:
            sandbox = self._start()
            orders = self._book()
            self._wait(sandbox, orders)
            ends = self._print(sandbox, orders)
            wrong = [n for n, (ours, theirs) in ends.items() if ours != theirs]
            if wrong:
                raise DemoFailed(f"not where the sandbox sent them: {', '.join(wrong)}")
            if not once:
                self._serve()

    def _start(self) -> SandboxProcess:
        say = self._console.print
        say("Migrating and seeding …")
        call_command("migrate", verbosity=0)
        self._make_login()
        flags = ("--pace", str(self._pace), "--outcomes", OUTCOMES)
        sandbox = self._opened.enter_context(SandboxProcess("ekart", *flags))
        self._stack = self._opened.enter_context(
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
        seeded = self._stack.command(
            "seed_ekart", "--company", COMPANY, "--create", "--name", "Demo Traders",
            "--gstin", "29AAGCR4375J1ZU", "--address", "1, Example Road", "--state", "Karnataka",
            "--pincode", "560001", "--phone", "98450 12345", "--new-key",
            "--limit", "create_shipment=200/1s",
        )  # fmt: skip
        self._key = seeded["api_key"]
        say("Starting web server, worker and beat …")
        self._stack.start_web()
        self._stack.start_worker()
        self._stack.start_beat()
        self._stack.until_ready()
        self._stack.command("register_webhooks", "--company", COMPANY)
        return sandbox

    def _make_login(self) -> None:
        user, _ = get_user_model().objects.get_or_create(
            username=LOGIN, defaults={"is_staff": True, "is_superuser": True}
        )
        self._password = secrets.token_urlsafe(9)
        user.set_password(self._password)
        user.save()

    def _book(self) -> list[Order]:
        lines = read_file(Path(settings.BASE_DIR) / SAMPLE)
        with (
            Progress(console=self._console, transient=True) as bar,
            ThreadPoolExecutor(WORKERS) as pool,
        ):
            task = bar.add_task("Booking over the API", total=len(lines))
            orders = []
            for order in pool.map(self._book_one, lines):
                orders.append(order)
                bar.advance(task)
        return orders

    def _book_one(self, lines: OrderLines) -> Order:
        lines.order_number = f"{lines.order_number}-{self._run}"
        try:
            draft = draft_of(lines, "ekart")
        except LineProblem as problem:
            return Order(lines.order_number, f"rejected: {problem}")
        if draft is None:
            return Order(lines.order_number, "skipped: nothing to ship")
        status, answer = self._ask("POST", "/api/v1/shipments/", _as_json(draft))
        if status not in (201, 202):
            return Order(lines.order_number, f"rejected: {answer.get('detail', status)}")
        return Order(
            lines.order_number, answer["status"], answer["id"], answer.get("tracking_id", "")
        )

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        answer = self._stack.ask(method, path, body, key=self._key)
        return answer.status, answer.json()

    def _shipments(self) -> Iterator[dict[str, Any]]:
        """This run's shipments, as the API lists them."""
        following: str | None = "/api/v1/shipments/?page_size=200"
        while following:
            _, page = self._ask("GET", following)
            mine = [s for s in page["results"] if s["order_number"].endswith(self._run)]
            yield from mine
            following = page["next"] if mine else None

    def _wait(self, sandbox: SandboxProcess, orders: list[Order]) -> None:
        booked = sum(bool(order.shipment_id) for order in orders)
        deadline = time.monotonic() + PATIENCE
        with Progress(console=self._console, transient=True) as bar:
            task = bar.add_task("Parcels under way", total=booked)
            while time.monotonic() < deadline:
                theirs = {s["tracking_id"]: ENDS.get(s["status"]) for s in sandbox.shipments()}
                finished = sandbox.state()["finished"]
                there = sum(
                    s["status"] == theirs.get(s["tracking_id"], "") for s in self._shipments()
                )
                bar.update(task, completed=there if finished >= booked else min(there, booked - 1))
                if finished >= booked and there >= booked:
                    return
                time.sleep(0.5)

    def _print(
        self, sandbox: SandboxProcess, orders: list[Order]
    ) -> dict[str, tuple[str, str | None]]:
        ours = {s["order_number"]: s for s in self._shipments()}
        theirs = {s["order_number"]: ENDS.get(s["destiny"]) for s in sandbox.shipments()}
        table = Table(title="What happened")
        for column in ("order", "tracking id", "status", "the sandbox's"):
            table.add_column(column)
        ends = {}
        for order in orders:
            if not order.shipment_id:
                table.add_row(order.number, "", order.outcome, "")
                continue
            status = ours[order.number]["status"] if order.number in ours else "lost"
            ends[order.number] = (status, theirs.get(order.number))
            table.add_row(order.number, order.tracking_id, status, theirs.get(order.number))
        say = self._console.print
        say(table)
        counts = Counter(status for status, _ in ends.values())
        say(f"{len(orders)} orders, {len(ends)} booked: " + ", ".join(
            f"{count} {status}" for status, count in counts.most_common()
        ))  # fmt: skip
        say(f"Admin          {self._stack.url}/admin/  (user {LOGIN}, password {self._password})")
        say(f"API docs       {self._stack.url}/api/docs/  (Authorization: Api-Key {self._key})")
        if ours:
            say(f"Tracking page  {next(iter(ours.values()))['tracking_url']}")
        return ends

    def _serve(self) -> None:
        try:
            self._console.print("Serving until Ctrl-C.")
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            self._console.print("Stopping.")


def _as_json(draft: ShipmentDraft) -> dict[str, Any]:
    """The body that a storefront sends for the draft."""
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
