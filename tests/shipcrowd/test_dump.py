"""A copy of all that is stored after a day's work holds no phone, no address and no secret."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
import secrets
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django_redis import get_redis_connection
from reportlab.pdfgen.canvas import Canvas

from couriers.booking.bulk_jobs import book_due_orders
from couriers.contract import india
from couriers.models import BulkJob, CourierAccount, CourierToken, Product, Shipment
from sandbox.process import SandboxProcess
from tests.support import dump
from tests.support.callbacks import ekart_signature
from tests.support.commands import run_json
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

ORDERS = Path(__file__).resolve().parents[2] / "fixtures" / "orders_sample.csv"
LINES = 6  # of the sample orders, which are booked by a file
PASSWORD = "an-admins-password-71"
SELLER = {
    "name": "Dump Traders", "gstin": "29AAGCR4375J1ZU", "address": "77 Warehouse Gate",
    "state": "Karnataka", "pincode": "560001", "phone": "98450 12345",
}  # fmt: skip
CONSIGNEES = [
    ("Asha Dumped", "+91 98111 22233", "12, Hidden Garden, Flat 4"),
    ("Ravi Dumped", "98222 33344", "34, Quiet Corner"),
    ("Meena Dumped", "98333-44455", "56, Far Terrace"),
]
LATER = ("98444 55566", "78, Changed Address")
ALTERNATE = "98555 66677"


class Day:
    """What is done with the platform, over HTTP and by commands, and every secret of it."""

    def __init__(self, url: str, sandbox: SandboxProcess, folder: Path) -> None:
        self.url, self.sandbox, self.folder = url, sandbox, folder
        self.webhook_secret = secrets.token_hex(12)

    def seed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "EKART_BASE_URL": self.sandbox.url, "EKART_CLIENT_ID": "sandbox",
            "EKART_USERNAME": "sandbox", "EKART_PASSWORD": "sandbox",
            "EKART_WEBHOOK_SECRET": self.webhook_secret,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        flags = [text for name, value in SELLER.items() for text in (f"--{name}", value)]
        seeded = run_json("seed_courier", "ekart", "--company", "dump", "--create", *flags)
        self.key, self.callbacks = seeded["api_key"], seeded["webhook_url"]
        fast = {"count": 1000, "window": 1}
        names = ("list_webhooks", "add_webhook", "edit_webhook", "create_shipment", "label", "ndr")
        limits = dict.fromkeys(names, fast)
        CourierAccount.objects.update(limits=limits)
        run_json("register_webhooks", "ekart", "--company", "dump")
        get_user_model().objects.create_superuser("operator", password=PASSWORD)

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Api-Key {self.key}"}
        url = f"{self.url}/api/v1/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=20)

    def book(self, number: str, consignee: tuple[str, str, str], **more: Any) -> dict[str, Any]:
        answer = self.ask("POST", "shipments/", order_of(number, consignee, **more))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def advance(self, shipment: dict[str, Any], *statuses: str) -> None:
        for status in statuses:
            body = {"tracking_id": shipment["tracking_id"], "status": status}
            self.sandbox.post("/_sandbox/advance", body)
        self.process(shipment["id"], statuses[-1].lower().replace(" ", "_"))

    def process(self, shipment_id: str, status: str) -> None:
        """Process the inbox until the shipment has the status."""
        deadline = time.monotonic() + 20
        while Shipment.objects.values_list("status", flat=True).get(pk=shipment_id) != status:
            assert time.monotonic() < deadline, status
            process_batch()
            time.sleep(0.02)

    def callback(self, body: dict[str, Any], secret: str) -> int:
        raw = json.dumps(body).encode()
        headers = {"x-ekart-signature": ekart_signature(raw, secret)}
        return requests.post(self.callbacks, raw, headers=headers, timeout=20).status_code

    def log_in(self) -> None:
        session = requests.Session()
        page = f"{self.url}/admin/login/"
        session.get(page, timeout=20)
        form = {"username": "operator", "password": PASSWORD, "next": "/admin/",
                "csrfmiddlewaretoken": session.cookies["csrftoken"]}  # fmt: skip
        assert session.post(page, form, timeout=20).status_code == 200
        assert "sessionid" in session.cookies


def order_of(number: str, consignee: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    name, phone, address = consignee
    return {
        "courier": "ekart", "order_number": number, "order_date": "2026-11-20",
        "payment_mode": "prepaid",
        "consignee": {"name": name, "phone": phone, "address": address, "city": "Bengaluru",
                      "state": "Karnataka", "pincode": "560008"},
        "items": [{"name": "Steel bottle", "category": "Bottle", "hsn_code": "73239390",
                   "quantity": 1, "value": "649.50", "gst_rate": "18"}],
        "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    } | more  # fmt: skip


def sample_orders(path: Path) -> list[dict[str, str]]:
    """Write the first sample orders to a file; return them."""
    with ORDERS.open(newline="") as file:
        rows = list(csv.DictReader(file))[:LINES]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


@pytest.fixture
def day(
    live_server: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Day]:
    media = tmp_path / "media"
    media.mkdir()
    settings.MEDIA_ROOT = str(media)
    settings.SHIPCROWD = project.SHIPCROWD | {"BASE_URL": live_server.url}
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    with SandboxProcess("ekart", "--hold") as sandbox:
        day = Day(live_server.url, sandbox, media)
        day.seed(monkeypatch)
        yield day


@pytest.fixture
def needles(day: Day, tmp_path: Path) -> dict[str, str]:
    """Work for a day; return what must be nowhere afterwards, by what it is."""
    samples = sample_orders(tmp_path / "orders.csv")
    done = run_json("book_orders", str(tmp_path / "orders.csv"), "--company", "dump",
                    "--courier", "ekart", "--report", str(day.folder / "report.csv"))  # fmt: skip
    assert done["booked"] == done["orders"] > 3, done
    delivered = day.book("D-1", CONSIGNEES[0], options={"alternate_phone": ALTERNATE})
    assert day.ask("GET", f"shipments/{delivered['id']}/label/").content.startswith(b"%PDF")
    day.advance(delivered, "Delivered")
    back = {"return_reason": "Too small", "order_number": "D-1-R1"}
    answer = day.ask("POST", f"shipments/{delivered['id']}/return/", back)
    assert answer.status_code == 201, answer.text
    undelivered = day.book("D-2", CONSIGNEES[1])
    day.advance(undelivered, "Picked Up", "Out For Delivery", "Undelivered")
    changed = {"date": (india.today() + dt.timedelta(days=2)).isoformat(),
               "phone": LATER[0], "address": LATER[1]}  # fmt: skip
    answer = day.ask("POST", f"shipments/{undelivered['id']}/address/", changed)
    assert answer.status_code == 202, answer.text
    bad = order_of("D-4", ("Bad Dumped", "12345 98666 77788", "90, Refused Road"), courier="x")
    bulk = {"orders": [order_of("D-3", CONSIGNEES[2]), bad]}
    assert day.ask("POST", "shipments/bulk/", bulk).status_code == 202
    later = {"orders": [order_of("D-5", CONSIGNEES[2])]}  # stays to be booked
    book_due_orders(BulkJob.objects.get().pk, seconds=10)
    assert day.ask("POST", "shipments/bulk/", later).status_code == 202
    refused = order_of("D-6", ("No Dumped", "98777 88899", "1, Refused Lane"), cod_amount="x")
    assert day.ask("POST", "shipments/", refused).status_code == 400
    told = {"id": "T-0", "receiverPhone": "9811122233", "address": CONSIGNEES[0][2], "ctime": 1}
    assert day.callback(told, day.webhook_secret) == 200
    assert day.callback(told | {"n": 1}, "a-strangers-secret") == 401
    process_batch()
    day.log_in()
    token = CourierToken.objects.get().access_token
    phones = [*(row["consignee_phone"] for row in samples), *(c[1] for c in CONSIGNEES),
              LATER[0], ALTERNATE, SELLER["phone"], "98666 77788", "98777 88899"]  # fmt: skip
    addresses = [*(row["address"] for row in samples), *(c[2] for c in CONSIGNEES), LATER[1],
                 SELLER["address"], "90, Refused Road", "1, Refused Lane"]  # fmt: skip
    return {
        **{f"phone {text}": "".join(filter(str.isdigit, text))[-10:] for text in phones},
        **{f"address {text}": text for text in addresses},
        "webhook secret": day.webhook_secret,
        "API key": day.key,
        "admin's password": PASSWORD,
        "courier's token": token,
    }


@pytest.mark.django_db(transaction=True)
def test_no_phone_address_or_secret_is_in_a_copy_of_what_is_stored(
    day: Day, needles: dict[str, str]
) -> None:
    stored = [*dump.tables(), *dump.files(day.folder), *dump.valkey()]
    found = [
        (what, place)
        for place, text in stored
        for what, needle in needles.items()
        if dump.contains(text, needle)
    ]
    assert found == []
    # Names, cities and pincodes stay readable, and so the copy is one of real work.
    text = "\n".join(text for _, text in stored)
    assert all(word in text for word in ("Asha Dumped", "Bengaluru", "560008", "Steel bottle"))
    assert WebhookEvent.objects.count() > 3
    assert any(name.endswith(".sealed") for name, _ in dump.files(day.folder))
    assert any(name.endswith("inbox") for name, _ in dump.valkey())


@pytest.mark.django_db(transaction=True)
def test_the_copy_shows_what_is_stored_in_any_other_form(tmp_path: Path, company: Any) -> None:
    phone = "9811122233"
    Product.objects.create(company=company, sku="a", name="call 98111 222-33")
    assert any(dump.contains(text, phone) for _, text in dump.tables())
    get_redis_connection("default").lpush("queue", base64.b64encode(b'["to", "+91 98111-22233"]'))
    assert any(dump.contains(text, phone) for _, text in dump.valkey())
    (tmp_path / "packed").write_bytes(zlib.compress(phone.encode()))
    canvas = Canvas(str(tmp_path / "label.pdf"), pageCompression=1)
    canvas.drawString(100, 100, "98111 22233")
    canvas.save()
    found = {name for name, text in dump.files(tmp_path) if dump.contains(text, phone)}
    assert found == {"packed", "label.pdf"}
    assert not dump.contains("9811122234", phone)
