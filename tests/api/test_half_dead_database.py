"""Every door answers 503 with Retry-After while a real PostgreSQL refuses, and works afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, InterfaceError
from django.test import Client

from couriers.models import Shipment
from couriers.resilience.database import Outage, leave_connection, outage_of
from tests.support.callbacks import send
from tests.support.outages import OUTAGES, outage
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.own_session]

PROBLEM = "application/problem+json"
PAGE = "text/html; charset=utf-8"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op"))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("name", OUTAGES)
def test_a_booking_is_refused_with_retry_after_and_succeeds_afterwards(
    storefront: Client, account: Any, order: Any, name: str
) -> None:
    with outage(name):
        answer = storefront.post("/api/v1/shipments/", order, "application/json")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert (answer["Content-Type"], answer.json()["type"]) == (
            PROBLEM, "/problems/database-unavailable",
        )  # fmt: skip
    assert Shipment.objects.count() == 0
    answer = storefront.post("/api/v1/shipments/", order, "application/json")
    assert answer.status_code == 201
    assert account.courier_id == "toy"


@pytest.mark.parametrize("name", OUTAGES)
def test_bulk_orders_and_labels_and_actions_are_refused_with_retry_after(
    storefront: Client, able: Any, shipment: Any, order: Any, name: str
) -> None:
    storefront.raise_request_exception = False
    with outage(name):
        for method, path, data in (
            ("post", "/api/v1/shipments/bulk/", {"orders": [order]}),
            ("post", f"/api/v1/shipments/{shipment.pk}/cancel/", None),
            ("get", f"/api/v1/shipments/{shipment.pk}/label/", None),
        ):
            answer = getattr(storefront, method)(path, data, content_type="application/json")
            assert (answer.status_code, answer["Retry-After"]) == (503, "5"), path
            assert answer["Content-Type"] == PROBLEM


@pytest.mark.parametrize("name", OUTAGES)
def test_a_callback_is_refused_with_retry_after_and_stored_afterwards(
    account: Any, name: str
) -> None:
    body = {"id": "TRK-1", "status": "in_transit", "hour": 1}
    with outage(name):
        answer = send(account, body)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert send(account, body).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("name", ["out_of_connections", "gone"])
def test_pages_say_so_with_the_same_status(operator: Client, name: str) -> None:
    paths = ("/track/shp_x/", "/admin/", "/admin/shipcrowd_couriers/shipment/")
    with outage(name):
        for path in paths:
            answer = operator.get(path)
            assert (answer.status_code, answer["Retry-After"]) == (503, "5"), path
            assert answer["Content-Type"] == PAGE
            assert b"Not available at the moment" in answer.content
            assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/track/shp_x/", "/admin/shipcrowd_couriers/shipment/"])
def test_the_platforms_pages_need_no_handler_of_the_project(operator: Client, path: str) -> None:
    """A host project has an error page of its own: no error reaches it."""
    operator.raise_request_exception = True
    with outage("gone"):
        assert operator.get(path).status_code == 503


def test_a_login_says_so_where_nothing_can_be_written(client: Client) -> None:
    get_user_model().objects.create_superuser("op", password="a password")
    client.raise_request_exception = False
    form = {"username": "op", "password": "a password"}
    with outage("read_only"):
        answer = client.post("/admin/login/", form)
        assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (
            503, "5", PAGE,
        )  # fmt: skip
    assert client.post("/admin/login/?next=/admin/", form).status_code == 302


@pytest.mark.parametrize("name", ["read_only", "out_of_disk"])
def test_pages_are_read_while_nothing_can_be_written_and_a_form_says_so(
    operator: Client, account: Any, name: str
) -> None:
    path = f"/admin/shipcrowd_couriers/courier/{account.courier_id}/change/"
    form = {
        "name": "Renamed", "is_enabled": "on", "audit-TOTAL_FORMS": "0", "audit-INITIAL_FORMS": "0",
    }  # fmt: skip
    with outage(name):
        assert operator.get("/admin/shipcrowd_couriers/shipment/").status_code == 200
        answer = operator.post(path, form)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer["Content-Type"] == PAGE
    assert operator.post(path, form).status_code == 302


@pytest.mark.parametrize("name", ["read_only", "out_of_connections", "gone"])
def test_the_probe_says_which(client: Client, account: Any, name: str) -> None:
    with outage(name):
        for _ in range(2):
            answer = client.get("/readyz")
            assert (answer.status_code, answer["Retry-After"]) == (503, "5")
            assert answer.json() == {
                "status": "unavailable", "down": ["postgresql"], "reason": OUTAGES[name][1],
            }  # fmt: skip
    assert client.get("/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize("name", OUTAGES)
def test_one_function_names_every_outage(account: Any, name: str) -> None:
    account.rollout = "off"
    with outage(name), pytest.raises((DatabaseError, InterfaceError)) as raised:
        account.save()
    leave_connection(raised.value)
    assert outage_of(raised.value) == Outage(OUTAGES[name][1])


def test_an_error_of_a_row_is_no_outage(account: Any) -> None:
    with pytest.raises(DatabaseError) as raised:
        Shipment.objects.create(account=account)
    assert outage_of(raised.value) is None
    assert outage_of(ValueError("away")) is None
    assert outage_of(None) is None
