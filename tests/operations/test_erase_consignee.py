"""`erase_consignee`: a person's request, by order or by phone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from couriers.booking.bulk_jobs import create_job
from couriers.models import AuditEntry, Shipment
from tests.support.api import set_status
from tests.support.callbacks import send
from tests.support.commands import run_command, run_json
from tests.support.drafts import draft_with, requests_for
from tests.support.erasure import PERSONAL, dump_of, make_full_shipment
from tests.support.factories import CompanyFactory, CourierAccountFactory, ShipmentFactory
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db
NOTHING = {
    "shipments": 0, "erased": 0, "already_erased": 0, "bulk_orders": 0, "unsearchable": 0,
    "callbacks": 0, "live": [],
}  # fmt: skip


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def company(company: Any) -> Any:
    company.slug = "acme"
    company.save()
    return company


def erase(*flags: str, code: int = 0) -> dict[str, Any]:
    return run_json("erase_consignee", "--company", "acme", *flags, code=code)


def test_an_order_is_erased_at_once_with_an_audit_entry_and_twice_is_safe(account: Any) -> None:
    make_full_shipment(account)
    assert erase("--order", "A-1") == NOTHING | {"shipments": 1, "erased": 1}
    dump = dump_of()
    assert [text for text in PERSONAL if text in dump] == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.details) == (
        "erase_consignee", None, {"found_by": "order"},
    )  # fmt: skip
    assert erase("--order", "A-1") == NOTHING | {"shipments": 1, "already_erased": 1}
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("written", ["98765 43210", "+91-9876543210", "09876543210"])
def test_a_phone_is_found_however_it_is_written_and_is_in_no_row(
    account: Any, written: str
) -> None:
    make_full_shipment(account)
    ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="delivered",
        consignee_phone="9123456789",
    )  # fmt: skip
    assert erase("--phone", written) == NOTHING | {"shipments": 1, "erased": 1}
    assert AuditEntry.objects.get().details == {"found_by": "phone"}
    assert "9876543210" not in dump_of()
    assert Shipment.objects.filter(erased_at=None).get().consignee_phone == "9123456789"
    assert erase("--phone", written) == NOTHING


def test_what_is_under_way_is_left_and_named_and_is_erased_after_its_end(account: Any) -> None:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), order_number="B-1",
        status="in_transit",
    )  # fmt: skip
    create_job(account.company, requests_for(draft_with(order_number="B-2")))
    done = erase("--phone", "9876543210", code=3)
    assert done["erased"] == 0
    assert [(one["order_number"], one["status"]) for one in done["live"]] == [
        ("B-1", "in_transit"), ("B-2", "pending"),
    ]  # fmt: skip
    text = run_command("erase_consignee", "--company", "acme", "--order", "B-1", code=3)
    assert text.strip().endswith("1 left, being under way: B-1 (in_transit)")
    set_status(shipment, "delivered")
    assert erase("--order", "B-1") == NOTHING | {"shipments": 1, "erased": 1}


def test_the_returns_of_an_order_are_erased_with_it(account: Any) -> None:
    original = make_full_shipment(account)
    ShipmentFactory(
        account=account, warehouse=original.warehouse, original=original, order_number="A-1-R1",
        direction="reverse", status="delivered",
    )  # fmt: skip
    assert erase("--order", "A-1")["erased"] == 2
    assert erase("--order", "A-1-R1")["already_erased"] == 1


def test_another_companys_shipments_are_left(account: Any) -> None:
    other = CourierAccountFactory(company=CompanyFactory(slug="other"), courier=account.courier)
    kept = ShipmentFactory(account=other, order_number="A-1", status="delivered")
    assert erase("--phone", "9876543210") == NOTHING
    with pytest.raises(CommandError, match="acme has no order A-1"):
        erase("--order", "A-1")
    kept.refresh_from_db()
    assert kept.consignee_phone == "9876543210"


@pytest.mark.usefixtures("no_processing")
def test_the_bodies_of_its_callbacks_are_erased_and_others_kept(account: Any) -> None:
    shipment = make_full_shipment(account)
    Shipment.objects.update(created_at=timezone.now())
    other = ShipmentFactory(account=account, warehouse=shipment.warehouse)
    send(account, {"id": shipment.tracking_id, "status": "in_transit", "hour": 1})
    send(account, {"id": "UNKNOWN", "order": "A-1", "hour": 1})
    send(account, {"id": other.tracking_id, "status": "in_transit", "hour": 1})
    process_batch()
    WebhookEvent.objects.filter(state="failed").update(state="dead")
    assert erase("--order", "A-1")["callbacks"] == 2
    kept = WebhookEvent.objects.get(body__isnull=False)
    assert json.loads(kept.read_body())["id"] == other.tracking_id


@pytest.fixture
def no_processing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.views.request_processing", lambda: None)


def test_a_dry_run_counts_and_erases_nothing(account: Any) -> None:
    make_full_shipment(account)
    assert erase("--order", "A-1", "--dry-run")["erased"] == 1
    assert (Shipment.objects.get().erased_at, AuditEntry.objects.count()) == (None, 0)
    Shipment.objects.update(status="in_transit")
    assert len(erase("--order", "A-1", "--dry-run")["live"]) == 1


def test_shipments_that_no_phone_finds_are_named(account: Any) -> None:
    make_full_shipment(account)
    Shipment.objects.update(phone_hash="")
    assert erase("--phone", "9876543210", code=3)["unsearchable"] == 1


@pytest.mark.parametrize(
    "flags",
    [
        ("--company", "nobody", "--order", "A-1"),
        ("--company", "acme"),
        ("--company", "acme", "--order", "A-1", "--phone", "9876543210"),
        ("--company", "acme", "--phone", "12345"),
    ],
)
def test_wrong_arguments_are_refused(company: Any, flags: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("erase_consignee", *flags)
