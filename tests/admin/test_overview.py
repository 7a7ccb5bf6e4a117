"""The overview: a page of its own, which a project can have as the first page of its admin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.models import Shipment
from tests.support.admin_links import row_url
from tests.support.factories import make_staff

OVERVIEW = "/admin/shipcrowd_couriers/shipment/overview/"
APP_INDEX = "/admin/shipcrowd_couriers/"
HEADING = "Bookings in doubt, the oldest first"


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(make_staff("settle_doubt", "view_shipment"))
    return client


@pytest.fixture
def without_own_index(settings: Any) -> None:
    """The project does not ask for the overview as its first page."""
    (engine,) = settings.TEMPLATES
    unfold = Path(__import__("unfold").__file__).parent / "templates"
    settings.TEMPLATES = [engine | {"DIRS": [unfold]}]
    settings.UNFOLD = {}


def test_the_overview_has_a_page_of_its_own(operator: Client, doubtful: Shipment) -> None:
    page = operator.get(OVERVIEW).content.decode()
    assert HEADING in page
    assert row_url(doubtful, "doubt") in page
    assert "read time-out" in page
    assert reverse("admin:shipcrowd_worklist", args=["doubts"]) in page


def test_the_overview_leads_to_the_settle_page_for_those_who_may_settle(
    client: Client, doubtful: Shipment
) -> None:
    client.force_login(make_staff("view_shipment", username="watcher"))
    page = client.get(OVERVIEW).content.decode()
    assert HEADING in page
    assert row_url(doubtful, "doubt") not in page


def test_the_overview_says_that_no_booking_is_in_doubt(operator: Client) -> None:
    page = operator.get(OVERVIEW).content.decode()
    assert "No booking is in doubt." in page
    assert HEADING not in page


def test_an_operator_gets_from_the_first_page_to_the_overview_by_links(
    operator: Client, without_own_index: None
) -> None:
    assert f'href="{APP_INDEX}"' in operator.get("/admin/").content.decode()
    assert f'href="{OVERVIEW}"' in operator.get(APP_INDEX).content.decode()
    assert f'href="{OVERVIEW}"' in operator.get(f"{APP_INDEX}shipment/").content.decode()


def test_the_first_page_of_a_project_that_does_not_ask_is_left_as_it_is(
    operator: Client, doubtful: Shipment, without_own_index: None
) -> None:
    page = operator.get("/admin/").content.decode()
    assert "Shipments" in page
    assert "Bookings in doubt" not in page
    assert doubtful.order_number not in page


def test_a_project_can_ask_for_the_overview_as_its_first_page(
    operator: Client, doubtful: Shipment
) -> None:
    page = operator.get("/admin/").content.decode()
    assert HEADING in page
    assert doubtful.order_number in page
    assert f'href="{APP_INDEX}"' in page


def test_the_overview_is_for_those_who_may_view_shipments(client: Client, doubtful: Any) -> None:
    client.force_login(make_staff("view_company"))
    assert client.get(OVERVIEW).status_code == 403
    assert OVERVIEW not in client.get(APP_INDEX).content.decode()
    assert "Bookings in doubt" not in client.get("/admin/").content.decode()
    client.logout()
    assert client.get(OVERVIEW).headers["Location"] == f"/admin/login/?next={OVERVIEW}"


def test_the_overview_makes_few_statements(
    operator: Client, doubtful: Shipment, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        operator.get(OVERVIEW)
