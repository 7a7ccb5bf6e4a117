"""The doors by which many orders, or a return, come in, behind one interface.

Each takes the same order to the couriers that the company's rules choose, and says how it ended in
the words of the bulk engine.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test import Client

from couriers.booking import bulk_jobs
from couriers.booking.spreadsheet import template_text
from couriers.models import BulkOrder, Company, Shipment
from tests.support.api import SHIPMENTS, job_orders, post_json
from tests.support.factories import ShipmentFactory, make_api_key
from tests.support.fail_over import Asked
from tests.support.orders import ORDER

BULK = "/api/v1/shipments/bulk/"
OPEN_JOB = 20  # tries of a job's orders, each put off and made due again


@dataclass(frozen=True, slots=True)
class Told:
    """What a door says of the order. `attempts` are (courier, outcome), None where it has none."""

    outcome: str
    courier: str
    tracking_id: str
    reason: str
    attempts: list[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A door. `number` is the order's number there; `send` takes the courier to ask for."""

    number: str
    send: Callable[[str], Told]

    def shipment(self) -> Shipment:
        """Return the order's only shipment."""
        return Shipment.objects.get(order_number=self.number)


def client_of(company: Company) -> Client:
    """Return an HTTP client with a key of the company."""
    return Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})


def post_job(client: Client, body: Any, content_type: str = "application/json") -> str:
    """Request a bulk job; return its URL."""
    content = body if isinstance(body, str) else json.dumps(body)
    made = client.post(BULK, content, content_type=content_type)
    assert made.status_code == 202, made.content
    return str(made["Location"])


def work(job_url: str) -> None:
    """Book the orders of a job until it has ended, without waiting for what was put off."""
    job_id = job_url.rstrip("/").rsplit("/", 1)[-1]
    for _ in range(OPEN_JOB):
        if bulk_jobs.book_due_orders(job_id, seconds=9) is None:
            return
        BulkOrder.objects.filter(job=job_id).update(next_attempt_at="2026-01-01T00:00Z")
    raise AssertionError("the job has not ended")


def _told(told: dict[str, Any]) -> Told:
    attempts = [(each["courier"], each["outcome"]) for each in told["booking_attempts"]]
    return Told(told["outcome"], told["courier"], told["tracking_id"], told["reason"], attempts)


def bulk_json(company: Company, asked: list[Asked], folder: Path) -> Door:
    """A bulk request in JSON; how its order ended is read from the orders of the job."""
    client = client_of(company)

    def send(courier: str) -> Told:
        url = post_job(client, {"orders": [ORDER | {"courier": courier}]})
        work(url)
        return _told(job_orders(client, url)[0])

    return Door("A-1", send)


def bulk_csv(company: Company, asked: list[Asked], folder: Path) -> Door:
    """A bulk request in CSV; how its order ended is read from the report of the job."""
    client = client_of(company)
    text = template_text().replace("# A-1", "A-1")

    def send(courier: str) -> Told:
        made = client.post(f"{BULK}?courier={courier}", text, content_type="text/csv")
        assert made.status_code == 202, made.content
        work(made["Location"])
        report = client.get(f"{made['Location']}orders/", headers={"Accept": "text/csv"})
        return _of_report(report.content.decode().splitlines())

    return Door("A-1", send)


def spreadsheet(company: Company, asked: list[Asked], folder: Path) -> Door:
    """`book_orders --courier auto`; how the order ended is read from its report."""
    path, report = folder / "orders.csv", folder / "report.csv"
    path.write_text(template_text().replace("# A-1", "A-1"))

    def send(courier: str) -> Told:
        flags = ("--company", company.slug, "--courier", courier, "--report", str(report))
        with suppress(SystemExit):  # where the order is in doubt
            call_command("book_orders", str(path), *flags, stdout=io.StringIO())
        return _of_report(report.read_text().splitlines())

    return Door("A-1", send)


def by_return(company: Company, asked: list[Asked], folder: Path) -> Door:
    """A return of an order that the last courier delivered."""
    client = client_of(company)
    line = ORDER["items"][0] | {"name": "T-shirt"}
    original = ShipmentFactory(
        account=asked[-1].account,
        warehouse=company.warehouses.get(),
        order_number="A-1",
        status="delivered",
        items=[line],
    )
    body = {"return_reason": "too small", "order_number": "A-1-R1", "order_date": "2026-11-23"}

    def send(courier: str) -> Told:
        named = {"courier": courier} if courier else {}
        answer = post_json(client, f"{SHIPMENTS}{original.pk}/return/", body | named)
        told = answer.json()
        if answer.status_code not in (201, 202):
            return Told("rejected", "", "", told["detail"])
        replayed = answer.headers.get("Idempotent-Replayed") == "true"
        booked = "already_booked" if replayed else "booked"
        outcome = booked if answer.status_code == 201 else "in_doubt"
        return _told(told | {"outcome": outcome, "reason": told["failure"]})

    return Door("A-1-R1", send)


DOORS = (bulk_json, bulk_csv, spreadsheet, by_return)


def _of_report(lines: list[str]) -> Told:
    (row,) = csv.DictReader(lines)
    return Told(row["outcome"], row["courier"], row["tracking_id"], row["reason"])
