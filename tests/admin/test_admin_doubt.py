"""The operators' pages for bookings in doubt."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import Unknown
from couriers.models import AuditEntry, CourierCall, Shipment
from tests.support.drafts import DRAFT, raising
from tests.support.factories import make_staff


@pytest.fixture
def doubtful(account: Any, toy: Any) -> Shipment:
    toy.on_create = raising(Unknown("read time-out"))
    return book(account.company, DRAFT).shipment


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff("settle_doubt", "view_shipment")
    client.force_login(user)
    return user


def url(shipment: Shipment) -> str:
    return f"/admin/shipcrowd_couriers/shipment/{shipment.pk}/doubt/"


def test_the_first_page_shows_doubts_first(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    page = client.get("/admin/").content.decode()
    assert "Bookings in doubt, the oldest first" in page
    assert url(doubtful) in page
    assert "read time-out" in page


def test_the_shipments_page_leads_to_its_question(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    page = f"/admin/shipcrowd_couriers/shipment/{doubtful.pk}/"
    assert "Settle the doubt" in client.get(f"{page}change/").content.decode()
    assert client.get(f"{page}settle-doubt/").headers["Location"] == url(doubtful)
    Shipment.objects.update(status="failed")
    assert "Settle the doubt" not in client.get(f"{page}change/").content.decode()


def test_the_question_is_shown_with_its_evidence(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    page = client.get(url(doubtful)).content.decode()
    for words in ("create_shipment", "read time-out", "nothing can be said", "It exists"):
        assert words in page
    assert "9876543210" not in page
    assert "Secret Lane" not in page


def test_it_exists(client: Client, operator: Any, doubtful: Shipment) -> None:
    answer = {"answer": "exists", "exists-tracking_id": "T-9", "exists-reason": "seen"}
    assert client.post(url(doubtful), answer).status_code == 302
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("booked", "T-9")
    assert AuditEntry.objects.get().actor == operator


def test_it_does_not_exist_is_confirmed_first(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    answer = {"answer": "absent", "absent-reason": "not there"}
    assert client.post(url(doubtful), answer).status_code == 200
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"
    assert client.post(url(doubtful), answer | {"absent-sure": "on"}).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.status == "failed"


def test_a_call_that_may_be_answered_is_waited_for(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    CourierCall.objects.update(outcome="pending", finished_at=None, started_at=timezone.now())
    answer = {"answer": "absent", "absent-reason": "not there", "absent-sure": "on"}
    page = client.post(url(doubtful), answer)
    assert "may still be on its way" in page.content.decode()
    CourierCall.objects.update(started_at=timezone.now() - dt.timedelta(hours=1))
    assert client.post(url(doubtful), answer).status_code == 302


def test_a_wrong_tracking_id_is_said_beside_its_field(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    answer = {"answer": "exists", "exists-tracking_id": "", "exists-reason": "seen"}
    assert "This field is required" in client.post(url(doubtful), answer).content.decode()
    assert not AuditEntry.objects.exists()


def test_without_the_permission_nobody_settles(client: Client, doubtful: Shipment) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    answer = {"answer": "exists", "exists-tracking_id": "T-9", "exists-reason": "seen"}
    assert client.post(url(doubtful), answer).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"
    assert Client().get(url(doubtful)).headers["Location"].startswith("/admin/login/")
