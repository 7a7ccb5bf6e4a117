"""The admin pages for bookings in doubt."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.models import AuditEntry, CourierCall, Shipment
from tests.support.admin_links import row_url
from tests.support.factories import make_staff
from tests.support.tracked_ids import know_ids


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff("settle_doubt", "view_shipment")
    client.force_login(user)
    return user


def url(shipment: Shipment) -> str:
    return row_url(shipment, "doubt")


def test_the_page_of_a_shipment_in_doubt_links_to_the_settle_page(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    page = row_url(doubtful)
    assert "Settle the doubt" in client.get(page).content.decode()
    assert client.get(row_url(doubtful, "settle-doubt")).headers["Location"] == url(doubtful)
    Shipment.objects.update(status="failed")
    assert "Settle the doubt" not in client.get(page).content.decode()


def test_the_settle_page_shows_the_evidence(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    page = client.get(url(doubtful)).content.decode()
    for words in ("create_shipment", "read time-out", "prove nothing", "It exists"):
        assert words in page
    assert "9876543210" not in page
    assert "Secret Lane" not in page


def test_the_answer_that_it_exists_settles_it_as_booked(
    client: Client, operator: Any, doubtful: Shipment, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_ids(monkeypatch, toy, {"T-9": "A-1"})
    answer = {"answer": "exists", "exists-tracking_id": "T-9", "exists-reason": "seen"}
    assert client.post(url(doubtful), answer).status_code == 302
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.tracking_id) == ("booked", "T-9")
    assert AuditEntry.objects.get().actor == operator


def test_an_id_that_the_courier_does_not_have_is_an_error_of_its_field(
    client: Client, operator: Any, doubtful: Shipment, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_ids(monkeypatch, toy, {"T-1": "B-2"})
    for tracking_id, words in (
        ("GARBAGE ID!!", "is not known to Toy"),
        ("T-1", "belongs to order B-2 at Toy"),
    ):
        answer = {"answer": "exists", "exists-tracking_id": tracking_id, "exists-reason": "seen"}
        # Nobody can tick what is not shown.
        tick = {"exists-confirm_unchecked": "on", "exists-asked_about": tracking_id}
        for sent in (answer, answer | tick):
            assert words in client.post(url(doubtful), sent).content.decode()
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"


def test_an_id_that_the_courier_cannot_tell_about_is_confirmed_on_a_second_page(
    client: Client, operator: Any, doubtful: Shipment, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_ids(monkeypatch, toy, {"T-8": "", "T-9": ""})
    label = "it has this id, for this order."
    assert label not in client.get(url(doubtful)).content.decode()
    answer = {"answer": "exists", "exists-tracking_id": "T-8", "exists-reason": "seen"}
    # A tick on the first page does not count.
    second = client.post(url(doubtful), answer | {"exists-confirm_unchecked": "on"})
    page = second.content.decode()
    assert "Toy has this id, but does not name its order" in page
    assert label in page
    assert 'name="exists-asked_about" value="T-8"' in page
    assert " checked" not in page.split('name="exists-confirm_unchecked"')[1].split(">")[0]
    answer |= {"exists-asked_about": "T-8", "exists-confirm_unchecked": "on"}
    # Nor does a tick for another id.
    other = client.post(url(doubtful), answer | {"exists-tracking_id": "T-9"})
    assert 'name="exists-asked_about" value="T-9"' in other.content.decode()
    assert not AuditEntry.objects.exists()
    assert client.post(url(doubtful), answer).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.tracking_id == "T-8"
    assert AuditEntry.objects.get().details["confirmed_unchecked"] is True


def test_the_answer_that_it_does_not_exist_must_be_confirmed(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    answer = {"answer": "absent", "absent-reason": "not there"}
    assert client.post(url(doubtful), answer).status_code == 200
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"
    assert client.post(url(doubtful), answer | {"absent-sure": "on"}).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.status == "failed"


def test_a_booking_is_not_released_while_its_call_may_be_answered(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    CourierCall.objects.update(outcome="pending", finished_at=None, started_at=timezone.now())
    answer = {"answer": "absent", "absent-reason": "not there", "absent-sure": "on"}
    page = client.post(url(doubtful), answer)
    assert "may still be on its way" in page.content.decode()
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    CourierCall.objects.update(started_at=an_hour_ago)
    Shipment.objects.update(lease_expires_at=an_hour_ago)
    assert client.post(url(doubtful), answer).status_code == 302


def test_a_missing_tracking_id_is_an_error_of_its_field(
    client: Client, operator: Any, doubtful: Shipment
) -> None:
    answer = {"answer": "exists", "exists-tracking_id": "", "exists-reason": "seen"}
    assert "This field is required" in client.post(url(doubtful), answer).content.decode()
    assert not AuditEntry.objects.exists()


def test_settling_needs_the_permission(client: Client, doubtful: Shipment) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    answer = {"answer": "exists", "exists-tracking_id": "T-9", "exists-reason": "seen"}
    assert client.post(url(doubtful), answer).status_code == 403
    doubtful.refresh_from_db()
    assert doubtful.status == "in_doubt"
    assert Client().get(url(doubtful)).headers["Location"].startswith("/admin/login/")
