"""Values that no key opens stop no page, list, job, batch or purge; each door names them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from couriers import tasks
from couriers.booking import bulk
from couriers.booking.bulk import OrderResult
from couriers.booking.protocol import book
from couriers.fulfilment import manifests
from couriers.models import CourierAccount, CourierCall, IdempotencyKey, Shipment
from couriers.models.account import previous_secret_fields
from couriers.operations.key_rotation import encrypted_fields
from couriers.operations.tracking_id_check import Verdict, check_tracking_id
from tests.support.admin_pages import admin_pages
from tests.support.callbacks import send
from tests.support.ciphertext import make_unreadable
from tests.support.commands import run_json
from tests.support.drafts import DRAFT, draft_with
from tests.support.everything import make_everything
from tests.support.factories import CourierAccountFactory, ShipmentFactory, WarehouseFactory
from tests.support.parcels import make_shipments
from webhooks.accounts import clear_cache
from webhooks.models import WebhookEvent
from webhooks.tasks import process_inbox

pytestmark = pytest.mark.django_db(transaction=True)

PERSONAL = ("consignee_phone", "consignee_address", "options")


@pytest.fixture
def all_unreadable(account: Any) -> CourierAccount:
    """An account with a row of every model, in which no encrypted value can be read."""
    make_everything(account)
    for model, fields in encrypted_fields():
        for row in model._default_manager.all():
            make_unreadable(row, *(field.column for field in fields))
    return CourierAccount.objects.get(pk=account.pk)


@pytest.fixture
def locked_out(company: Any) -> CourierAccount:
    """An account with Ekart whose login cannot be read, and which has shipments."""
    account = CourierAccountFactory(company=company)
    make_unreadable(account, "login")
    return CourierAccount.objects.get(pk=account.pk)


@pytest.mark.slow
def test_every_admin_page_opens(client: Client, all_unreadable: Any) -> None:
    operator = User.objects.create_superuser("root")
    client.force_login(operator)
    for path in admin_pages(operator):
        assert client.get(path).status_code == 200, path
    path = f"/admin/shipcrowd_couriers/shipment/{Shipment.objects.get().pk}"
    unreadable = b"cannot be read: encrypted with a key"
    assert client.get(f"{path}/change/").content.count(unreadable) == 1  # the masked phone
    # The phone and the address, which are shown when they are asked for.
    # The phone, the address, the landmark and the e-mail.
    assert client.post(f"{path}/consignee/").content.count(unreadable) == 4


def test_an_operator_can_switch_the_account_off_and_type_its_login_again(
    client: Client, locked_out: CourierAccount
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    base = f"/admin/shipcrowd_couriers/courieraccount/{locked_out.pk}"
    switch = client.get(f"{base}/switch/").context["form"].initial
    switched = client.post(
        f"{base}/switch/", switch | {"rollout": "off", "percent": "", "reason": "r"}
    )
    assert switched.status_code == 302
    assert CourierAccount.objects.get(pk=locked_out.pk).rollout == "off"
    path = f"{base}/change/"
    form = {"base_url": locked_out.base_url, "limits": "{}", "settings": "{}"}
    assert client.post(path, form).status_code == 302
    typed = {"login_client_id": "c", "login_username": "again", "login_password": "again"}
    assert client.post(path, form | typed).status_code == 302
    assert CourierAccount.objects.get(pk=locked_out.pk).login["password"] == "again"


def test_the_lists_and_pages_of_the_api_and_of_the_consignee_answer(
    storefront: Client, client: Client, all_unreadable: Any
) -> None:
    shipment = Shipment.objects.get()
    job = all_unreadable.company.jobs.get()
    for path in ("shipments/", f"shipments/{shipment.pk}/", f"jobs/{job.pk}/", "warehouses/"):
        assert storefront.get(f"/api/v1/{path}").status_code == 200, path
    assert client.get(f"/track/{shipment.pk}/").status_code == 200
    assert storefront.post(f"/api/v1/shipments/{shipment.pk}/track/").status_code == 200


def test_what_needs_the_value_is_refused_and_names_it(
    storefront: Client, all_unreadable: Any
) -> None:
    Shipment.objects.update(status="delivered")
    shipment = Shipment.objects.get()
    answer = storefront.post(
        f"/api/v1/shipments/{shipment.pk}/return/",
        {"return_reason": "Wrong size", "order_number": "R-1"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unreadable")
    assert f"of shipment {shipment.pk} cannot be read" in answer.json()["detail"]


def test_an_order_that_cannot_be_compared_fails_alone(account: Any, toy: Any) -> None:
    """Its key has been purged, so the shipment itself is compared with the request."""
    shipment = book(account.company, DRAFT).shipment
    IdempotencyKey.objects.all().delete()
    make_unreadable(shipment, *PERSONAL)
    result = bulk.book_order(account.company, "A-1", lambda: DRAFT)
    assert isinstance(result, OrderResult)
    assert (result.outcome, toy.booked) == ("failed", ["A-1"])
    assert "cannot be read" in result.reason
    other = bulk.book_order(account.company, "A-2", lambda: draft_with(order_number="A-2"))
    assert isinstance(other, OrderResult)
    assert other.outcome == "booked"


def test_callbacks_of_a_shipment_are_applied(account: Any, shipment: Any) -> None:
    make_unreadable(shipment, *PERSONAL)
    body = {"id": shipment.tracking_id, "status": "in_transit", "hour": 1}
    assert send(account, body).status_code == 200
    process_inbox()
    assert WebhookEvent.objects.get().state == "processed"
    assert Shipment.objects.only("status").get().status == "in_transit"


def test_callbacks_of_an_account_whose_secret_cannot_be_read_are_asked_for_again(
    account: Any, company: Any
) -> None:
    make_unreadable(account, "webhook_secret")
    answer = send(account, {"id": "T", "status": "in_transit", "hour": 1})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not WebhookEvent.objects.exists()


def test_a_previous_secret_that_cannot_be_read_stops_no_callback(
    account: CourierAccount, shipment: Shipment
) -> None:
    fields = previous_secret_fields("the secret before")
    CourierAccount.objects.filter(pk=account.pk).update(**fields)
    make_unreadable(account, "previous_webhook_secret")
    clear_cache()
    body = {"id": shipment.tracking_id, "status": "in_transit", "hour": 1}
    assert send(account, body).status_code == 200


def test_the_other_accounts_are_polled(locked_out: CourierAccount, account: Any) -> None:
    long_ago = timezone.now() - dt.timedelta(days=2)
    for owner in (locked_out, account):
        ids = make_shipments(owner, 3, status="picked_up", tracked_at=long_ago)
        Shipment.objects.filter(pk__in=ids).update(created_at=long_ago)
    make_unreadable(Shipment.objects.filter(account=account).first(), *PERSONAL)
    counts = run_json("sync_tracking", "--minutes", "60", "--workers", "1", code=3)
    assert (counts["moved"], counts["failed"]) == (3, 1)
    assert Shipment.objects.filter(account=account, status="in_transit").count() == 3


def test_a_manifest_is_put_off_and_others_are_made(
    locked_out: CourierAccount, account: Any, able: Any
) -> None:
    ids = make_shipments(account, 3)
    make_unreadable(Shipment.objects.get(pk=ids[0]), *PERSONAL)
    done = manifests.create_for_shipments(account, ids).manifest
    waiting = locked_out.manifests.create(company=locked_out.company)
    chunk = waiting.chunks.create(position=0, tracking_ids=["T-1"])
    assert tasks.sweep_manifests() == 2
    done.refresh_from_db()
    chunk.refresh_from_db()
    assert (done.state, chunk.state) == ("done", "pending")
    assert "login of the account cannot be read" in chunk.reason


def test_reconciliation_and_purges_go_on(account: Any, shipment: Any) -> None:
    make_unreadable(shipment, *PERSONAL)
    CourierCall.objects.create(account=account, shipment=shipment, operation="x",
                               started_at=timezone.now())  # fmt: skip
    overdue = ShipmentFactory(
        account=account, warehouse=shipment.warehouse, status="booking", tracking_id="",
        lease_expires_at=timezone.now() - dt.timedelta(seconds=1),
    )  # fmt: skip
    make_unreadable(overdue, *PERSONAL)
    assert run_json("reconcile_bookings")
    assert Shipment.objects.get(pk=overdue.pk).status == "in_doubt"
    with time_machine.travel(timezone.now() + dt.timedelta(days=400)):
        # The call, the event of the doubt, and the consignee of the shipment.
        assert tasks.purge_expired() == 3


def test_a_booking_and_an_action_say_that_the_login_cannot_be_read(
    storefront: Client, locked_out: CourierAccount, order: Any
) -> None:
    warehouse = locked_out.company.warehouses.get()
    shipment = ShipmentFactory(account=locked_out, warehouse=warehouse)
    for path, data in (
        ("shipments/", order | {"courier": "ekart"}),
        (f"shipments/{shipment.pk}/cancel/", None),
    ):
        answer = storefront.post(f"/api/v1/{path}", data, content_type="application/json")
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert answer.json()["type"] == "/problems/not-sent"
        assert "login of the account cannot be read" in answer.json()["detail"]
    assert Shipment.objects.count() == 1


def test_an_operator_is_told_that_the_courier_could_not_be_asked(
    locked_out: CourierAccount,
) -> None:
    warehouse = WarehouseFactory(company=CourierAccountFactory().company)
    shipment = ShipmentFactory(account=locked_out, warehouse=warehouse)
    check = check_tracking_id(shipment, "T-1", confirm_unchecked=True)
    assert check.verdict is Verdict.UNCLEAR
    assert "cannot be read" in check.said


def test_a_command_names_what_cannot_be_read(locked_out: CourierAccount) -> None:
    make_unreadable(locked_out, "webhook_secret")
    with pytest.raises(CommandError, match=r"webhook_secret of .* cannot be") as e:
        call_command("register_webhooks", "ekart", "--company", locked_out.company.slug)
    assert e.value.returncode == 3
