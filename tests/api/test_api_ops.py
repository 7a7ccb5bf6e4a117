"""The API for staff: permissions, number of statements, evidence and history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from couriers.models import AuditEntry, CourierCall, Shipment
from couriers.operations.evidence import evidence_of_all
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.factories import (
    CourierAccountFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_staff,
)

URL = "/api/v1/ops/"
MODEL_OF_LIST = {
    "in-doubt/": "shipment", "circuits/": "courieraccount", "webhook-events/": "webhookevent",
}  # fmt: skip


def staff_client(*codenames: str) -> Client:
    client = Client()
    client.force_login(make_staff(*codenames))
    return client


def make_doubts(account: Any, count: int) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return [
        ShipmentFactory(account=account, warehouse=warehouse, status="in_doubt", tracking_id="")
        for _ in range(count)
    ]


@pytest.mark.parametrize("path", MODEL_OF_LIST)
def test_staff_need_the_permission_that_the_admin_asks_for(db: None, path: str) -> None:
    others = {f"{verb}_{model}" for model in MODEL_OF_LIST.values() for verb in ("view", "change")}
    needed = {f"view_{MODEL_OF_LIST[path]}", f"change_{MODEL_OF_LIST[path]}"}
    client = staff_client(*(others - needed), "settle_doubt", "replay_event")
    answer = client.get(URL + path)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    user = User.objects.get()
    for codename in needed:
        user.user_permissions.set(Permission.objects.filter(codename=codename))
        assert client.get(URL + path).status_code == 200
    User.objects.update(is_staff=False)
    assert client.get(URL + path).status_code == 403


def test_a_refused_change_is_in_the_audit_trail_and_a_refused_look_is_not(account: Any) -> None:
    [doubt] = make_doubts(account, 1)
    client = staff_client("view_shipment")
    url = f"{URL}in-doubt/{doubt.pk}/release/"
    assert client.post(url, {"reason": "x"}, "application/json").status_code == 403
    assert client.get(URL + "circuits/").status_code == 403
    entry = AuditEntry.objects.get(action="refused")
    assert entry.actor == User.objects.get()
    assert entry.details["method"] == "POST"


def test_twenty_doubts_are_listed_in_at_most_eight_statements(
    account: Any, django_assert_max_num_queries: Any
) -> None:
    client = staff_client("view_shipment")
    make_doubts(account, 20)
    with django_assert_max_num_queries(8):
        assert len(client.get(URL + "in-doubt/").json()) == 20


def test_each_doubt_has_the_evidence_of_its_own_account_and_time(account: Any) -> None:
    now = timezone.now()
    first, second = make_doubts(account, 2)
    other = CourierAccountFactory(courier=account.courier)
    WarehouseFactory(company=other.company)
    (elsewhere,) = make_doubts(other, 1)
    CourierCall.objects.create(
        account=account, shipment=second, operation="create_shipment",
        started_at=now + dt.timedelta(minutes=2),
    )  # fmt: skip
    for minute, confirmed in ((1, True), (3, False)):
        at = now + dt.timedelta(minutes=minute)
        ShipmentFactory(
            account=account, warehouse=first.warehouse, booked_at=at,
            confirmed_at=at if confirmed else None,
        )  # fmt: skip
    evidence = evidence_of_all([elsewhere, second, first])
    assert [(one.later, one.confirmed) for one in evidence] == [(0, 0), (1, 0), (2, 1)]
    assert [len(one.calls) for one in evidence] == [0, 1, 0]
    assert evidence[1].in_doubt_since == now + dt.timedelta(minutes=2)
    assert evidence[2].last_confirmed_at == now + dt.timedelta(minutes=1)


def test_closing_a_circuit_by_hand_is_logged_and_kept_in_the_history(account: Any) -> None:
    client = staff_client("settle_doubt", "view_courieraccount")
    breaker = CircuitBreaker.of_account("toy", account.pk)
    for _ in range(5):
        breaker.before_call()
        breaker.record_failure()
    (shown,) = client.get(URL + "circuits/").json()
    assert (shown["account"], shown["state"]) == (account.pk, "open")
    with capture_logs() as logs:
        answer = client.delete(f"{URL}circuits/{account.pk}/")
    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    operator = User.objects.get()
    (line,) = [line for line in logs if line["event"] == "circuit_reset"]
    assert (line["account"], line["actor"]) == (account.pk, str(operator.pk))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.door, entry.action) == (operator, "api", "close_circuit")
    assert (entry.object_key, entry.company) == (account.pk, account.company)
    assert (entry.before, entry.after) == ({"circuit": "open"}, {"circuit": "closed"})


def test_closing_a_circuit_needs_the_permission_to_settle_doubts(account: Any) -> None:
    client = staff_client("view_courieraccount", "change_courieraccount")
    assert client.delete(f"{URL}circuits/{account.pk}/").status_code == 403
    assert not AuditEntry.objects.exclude(action="refused").exists()
