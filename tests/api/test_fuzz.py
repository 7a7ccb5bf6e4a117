"""No request makes the API fail, or answer anything else than its schema describes.

The requests are made by schemathesis from the schema. `make fuzz` makes many more of them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from couriers.contract import india
from couriers.contract.errors import CircuitOpen, Rejected, TooManyRequests, Unknown
from couriers.contract.statuses import Status
from couriers.documents.sheets import PageFormat
from couriers.fulfilment import label_jobs, manifests
from couriers.models import CompanyApiKey, Event, LabelJob, Manifest, ManifestChunk, Product
from couriers.operations.events import number_events
from tests.support.api import post_json
from tests.support.factories import ShipmentFactory, make_api_key
from tests.support.fuzzing import Known, Outcome, run
from tests.support.outbox import make_endpoint
from tests.support.toy import AbleToyAdapter
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Requests at each operation: `make fuzz` sets the number.
LONG = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
STATUSES = (
    Status.BOOKED, Status.UNDELIVERED, Status.DELIVERED, Status.IN_TRANSIT, Status.CANCELLED,
)  # fmt: skip
COMPANIES = r"^/api/v1/(?!ops/)"
TOKEN = "c" * 32  # against CSRF
STAFF = r"^/api/v1/ops/"


def faulty(*errors: Exception | None) -> Callable[[Any], None]:
    """A hook of the toy courier that raises the errors in turn; None for an answer."""
    turns = itertools.cycle(errors)

    def hook(_: Any) -> None:
        if error := next(turns):
            raise error

    return hook


@pytest.fixture(autouse=True)
def sometimes_failing_courier(
    able: type[AbleToyAdapter], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A courier whose calls end in every way: one in two with an answer."""
    settings.MEDIA_ROOT = str(tmp_path)
    faults = (
        None, Rejected("no", courier="toy", courier_message="not today"), None,
        TooManyRequests("slowly", courier="toy", retry_after=2), None,
        CircuitOpen("later", courier="toy", retry_after=3.2), None, Unknown("lost", courier="toy"),
    )  # fmt: skip
    for method in (
        "cancel_shipment", "track_shipment", "request_reattempt", "update_delivery_address",
        "request_rto", "schedule_pickup", "get_label", "get_rates", "check_serviceability",
        "get_proof_of_delivery",
    ):  # fmt: skip
        able.on_call[method] = faulty(*faults)
    monkeypatch.setattr(able, "on_create", faulty(None, None, *faults))
    monkeypatch.setattr(able, "get_label_data", lambda self, ids: [{"number": ids[0]}])


@pytest.fixture
def known(account: Any, order: dict[str, Any], storefront: Client) -> Known:
    """Rows of every kind, and values that make a request valid."""
    warehouse = account.company.warehouses.get()

    def shipments(*statuses: str, **columns: Any) -> list[str]:
        return [
            ShipmentFactory(account=account, warehouse=warehouse, status=status, **columns).pk
            for status in statuses
        ]

    manifest = Manifest.objects.create(company=account.company, account=account)
    chunk = ManifestChunk.objects.create(manifest=manifest, position=1, tracking_ids=["T1"])
    manifests.make_chunk(chunk.pk)
    event = WebhookEvent.objects.create(
        account=account, content_hash=b"1" * 32, body=b'{"id": "T1"}', topic="track_updated",
        received_at=timezone.now(), next_attempt_at=timezone.now(),
    )  # fmt: skip
    told = Event.objects.create(company=account.company, type="ping", data={"endpoint": "whe_1"})
    number_events()
    job = post_json(storefront, "/api/v1/shipments/bulk/", {"orders": [order]}).json()
    of_the_company = {"name": "known", "company": account.company}
    doubts = shipments(*[Status.IN_DOUBT] * 40, tracking_id="")
    known_shipments = shipments(*STATUSES * 4)
    printed = label_jobs.create(
        account.company,
        is_test=False,
        shipments=known_shipments[:1],
        page_format=PageFormat.A4,
    )
    label_jobs.make(printed.pk)
    ids = {
        "/api/v1/shipments/": known_shipments,
        "/api/v1/jobs/": [job["id"]],
        "/api/v1/events/": [told.pk],
        "/api/v1/manifests/": [manifest.pk],
        "/api/v1/couriers/": ["toy"],
        "/api/v1/labels/": [
            label_jobs.create(
                account.company, is_test=False, shipments=["shp_1"], page_format=PageFormat.A4
            ).pk,
            printed.pk,
            LabelJob.objects.create(
                company=account.company,
                shipments=["shp_1"],
                page_format="a4",
                state="failed",
                missing=[{"position": 0, "shipment": "shp_1", "reason": "no"}],
                finished_at=timezone.now(),
            ).pk,
        ],
        "/api/v1/warehouses/": [warehouse.pk],
        "/api/v1/products/": [
            Product.objects.create(company=account.company, sku=f"P-{number}").pk
            for number in range(100)
        ],
        "/api/v1/keys/": [
            f"key_{CompanyApiKey.objects.create_key(**of_the_company)[0].prefix}" for _ in range(20)
        ],
        "/api/v1/webhook-endpoints/": [
            make_endpoint(account.company, f"https://shop.example/{number}").pk
            for number in range(15)
        ],
        "/api/v1/ops/in-doubt/": doubts,
        "/api/v1/ops/circuits/": [account.pk],
        "/api/v1/ops/webhook-events/": [event.pk],
    }
    tomorrow = (india.today() + dt.timedelta(days=1)).isoformat()
    members = {
        **{name: value for name, value in order.items() if not isinstance(value, (dict, list))},
        **order["consignee"],
        **order["items"][0],
        "sku": lambda turn: f"S-{turn}",
        "order_number": lambda turn: f"F-{turn % 50}",
        "Idempotency-Key": lambda turn: f"key-{turn}",
        "order_date": india.today().isoformat(),
        "invoice_date": india.today().isoformat(),
        "date": tomorrow,
        "slot": "10-13",
        "count": 3,
        "number": 1,
        "pickup_pincode": "560001",
        "origin": "411004",
        "drop_pincode": "411004",
        "warehouse": warehouse.pk,
        "shipments": ids["/api/v1/shipments/"][:1],
        "ids": [event.pk],
        "options": {},
        "file_format": "auto",
        "ignore_columns": "Gift note",
        "default": "gst_rate=5",
        "service": "",
        "direction": "forward",
        "invoice_amount": "1523.00",
        "return_reason": "too small",
        "reason": "seen at the courier",
        "tracking_id": lambda turn: f"T-{turn}",
        "waybill": "W-1",
        "is_test": False,
        "scopes": ["read"],
        "allowed_networks": ["203.0.113.0/24"],
        "expires_at": (timezone.now() + dt.timedelta(days=9)).isoformat(),
        "url": lambda turn: f"https://shop.example/{turn}",
        "since": india.today().isoformat() + "T00:00:00Z",
    }
    return Known(ids, members)


def key_of(company: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_api_key(company)}"}


def session() -> dict[str, str]:
    """The cookies of a browser in which a superuser is logged in."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return {"sessionid": client.cookies["sessionid"].value, "csrftoken": TOKEN}


def check(outcome: Outcome) -> None:
    assert outcome.failures == [], "\n\n".join(outcome.failures[:10])


def test_with_a_key_every_answer_is_in_the_schema(known: Known, company: Any) -> None:
    outcome = run(key_of(company), known, examples=4, paths=COMPANIES)
    check(outcome)
    assert not any(outcome.always(status) for status in (401, 403, 404)), str(outcome)


def test_with_a_session_of_staff_every_answer_is_in_the_schema(known: Known) -> None:
    outcome = run({"X-Csrftoken": TOKEN}, known, cookies=session(), examples=5, paths=STAFF)
    check(outcome)
    assert not any(outcome.always(status) for status in (401, 403, 404)), str(outcome)


def test_without_credentials_nothing_is_served(known: Known) -> None:
    outcome = run({}, known, examples=1)
    check(outcome)
    assert {status for counts in outcome.statuses.values() for status in counts} <= {401, 404}


@pytest.mark.skipif(not LONG, reason="takes minutes: `make fuzz`")
@pytest.mark.parametrize("who", ["key", "session", "nobody"])
def test_many_requests_at_every_operation(
    known: Known, company: Any, who: str, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"key": key_of(company), "session": {"X-Csrftoken": TOKEN}, "nobody": {}}[who]
    cookies = session() if who == "session" else {}
    outcome = run(headers, known, cookies=cookies, examples=LONG, coverage=True, seed=SEED)
    with capsys.disabled():
        sys.stdout.write(f"\n{who}: {outcome}")
    check(outcome)
