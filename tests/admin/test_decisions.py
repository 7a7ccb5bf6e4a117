"""The admin's pages to correct a tracking id and to clear a flag."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.contract.errors import Unknown
from couriers.models import AuditEntry, FlagKind, Shipment, ShipmentFlag
from couriers.models.flag import raise_flag
from couriers.operations.doubt import resolve
from tests.support.admin_links import buttons, hrefs, list_url, row_links, row_url
from tests.support.factories import make_staff
from tests.support.flags import open_flags
from tests.support.tracked_ids import know_ids


@pytest.fixture
def settler(client: Client, db: None) -> Any:
    user = make_staff("settle_doubt", "view_shipment")
    client.force_login(user)
    return user


@pytest.fixture
def clearer(client: Client, db: None) -> Any:
    user = make_staff("clear_flag", "view_shipmentflag", "view_shipment", username="clearer")
    client.force_login(user)
    return user


@pytest.fixture
def mistaken(doubtful: Shipment, settler: Any, toy: Any, monkeypatch: Any) -> Shipment:
    """A doubt that an operator settled with a wrong tracking id."""
    know_ids(monkeypatch, toy, {"T-1": Unknown("read time-out"), "T-2": "A-1", "T-3": ""})
    return resolve(
        doubtful.pk, tracking_id="T-1", actor=settler, reason="seen", confirm_unchecked=True
    )


def test_a_wrong_id_is_corrected_by_the_button_of_its_shipment(
    client: Client, mistaken: Shipment
) -> None:
    (row,) = row_links(client, Shipment)
    page = client.get(buttons(client, row)["correct-id"], follow=True)
    url = page.redirect_chain[-1][0]
    assert url == row_url(mistaken, "tracking-id")
    assert "the tracking id\n    <strong>T-1</strong>" in page.content.decode()
    refused = client.post(url, {"tracking_id": "T-9", "reason": "typed wrong"})
    assert "is not known to Toy" in refused.content.decode()
    done = client.post(url, {"tracking_id": "T-2", "reason": "typed wrong"})
    assert done.headers["Location"] == row
    mistaken.refresh_from_db()
    assert mistaken.tracking_id == "T-2"


def test_a_correction_that_the_courier_cannot_check_is_confirmed(
    client: Client, mistaken: Shipment
) -> None:
    url = row_url(mistaken, "tracking-id")
    answer = {"tracking_id": "T-3", "reason": "typed wrong"}
    asked = client.post(url, answer).content.decode()
    assert "does not name its order" in asked
    sent = client.post(url, answer | {"asked_about": "T-3", "confirm_unchecked": "on"})
    assert sent.status_code == 302
    mistaken.refresh_from_db()
    assert mistaken.tracking_id == "T-3"


def test_an_id_that_the_courier_gave_has_no_button(
    client: Client, settler: Any, shipment: Shipment
) -> None:
    assert buttons(client, row_url(shipment)) == {}
    url = row_url(shipment, "tracking-id")
    assert "nothing to correct" in client.get(url).content.decode()
    sent = client.post(url, {"tracking_id": "T-2", "reason": "x"})
    assert sent.status_code == 200
    assert not AuditEntry.objects.exists()


def test_correcting_needs_the_permission(client: Client, mistaken: Shipment) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    assert buttons(client, row_url(mistaken)) == {}
    answer = {"tracking_id": "T-2", "reason": "x"}
    assert client.post(row_url(mistaken, "tracking-id"), answer).status_code == 403
    mistaken.refresh_from_db()
    assert mistaken.tracking_id == "T-1"


def test_a_flag_is_cleared_from_the_page_of_its_shipment(
    client: Client, clearer: Any, shipment: Shipment
) -> None:
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-10")
    (row,) = row_links(client, Shipment)
    page = client.get(buttons(client, row)["clear-a-flag"], follow=True)
    url = page.redirect_chain[-1][0]
    assert "the courier also has T-9." in page.content.decode()
    flag = ShipmentFlag.objects.get(tracking_id="T-9")
    for answer, words in (
        ({"flag": flag.pk, "reason": ""}, "This field is required"),
        ({"flag": flag.pk, "reason": " "}, "This field is required"),
        ({"reason": "x"}, "This field is required"),
        ({"flag": "0", "reason": "x"}, "not one of the available choices"),
    ):
        assert words in client.post(url, answer).content.decode()
    assert len(open_flags(shipment)) == 2
    done = client.post(url, {"flag": flag.pk, "reason": "the second parcel was cancelled"})
    assert done.headers["Location"] == row
    flag.refresh_from_db()
    assert (flag.cleared_by, flag.clear_reason) == (clearer, "the second parcel was cancelled")
    assert open_flags(shipment) == [("second_shipment", "T-10")]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == (
        "clear_flag", clearer, "the second parcel was cancelled",
    )  # fmt: skip
    assert (entry.details["kind"], entry.details["tracking_id"]) == ("second_shipment", "T-9")
    again = client.post(url, {"flag": flag.pk, "reason": "once more"})
    assert "not one of the available choices" in again.content.decode()


def test_a_flag_is_cleared_from_the_list_of_flags_and_from_its_page(
    client: Client, clearer: Any, shipment: Shipment
) -> None:
    raise_flag(shipment, FlagKind.OTHER_ORDER, tracking_id="T-9", order_number="B-1")
    flag = ShipmentFlag.objects.get()
    chosen = f"{row_url(shipment, 'flags')}?flag={flag.pk}"
    assert chosen in hrefs(client.get(list_url(ShipmentFlag)))
    (row,) = row_links(client, ShipmentFlag)
    page = client.get(buttons(client, row)["clear"], follow=True)
    assert page.redirect_chain[-1][0] == chosen
    assert "checked" in page.content.decode().split(f'value="{flag.pk}"')[1].split(">")[0]
    client.post(chosen, {"flag": flag.pk, "reason": "sorted out"})
    assert open_flags(shipment) == []
    assert buttons(client, row) == {}
    assert chosen not in hrefs(client.get(list_url(ShipmentFlag)))


def test_a_flag_that_follows_from_scans_says_that_it_comes_back(
    client: Client, clearer: Any, shipment: Shipment
) -> None:
    raise_flag(shipment, FlagKind.LATE_SCANS)
    page = client.get(row_url(shipment, "flags")).content.decode()
    assert "the next scan raises it again for as long as they show it" in page
    flag = ShipmentFlag.objects.get()
    url = row_url(shipment, "flags")
    done = client.post(url, {"flag": flag.pk, "reason": "known"}, follow=True)
    assert "the next scan raises it again" in done.content.decode()
    assert "no open flag" in client.get(url).content.decode()


def test_clearing_needs_the_permission(client: Client, shipment: Shipment) -> None:
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    flag = ShipmentFlag.objects.get()
    client.force_login(make_staff("view_shipmentflag", "view_shipment", username="watcher"))
    for row in (row_url(shipment), row_url(flag)):
        assert buttons(client, row) == {}
    assert row_url(shipment, "flags") not in client.get(list_url(ShipmentFlag)).content.decode()
    answer = {"flag": flag.pk, "reason": "x"}
    assert client.post(row_url(shipment, "flags"), answer).status_code == 403
    assert open_flags(shipment) == [("second_shipment", "T-9")]
