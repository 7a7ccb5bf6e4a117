"""The page of an action: what it says, what it refuses, and that it does what it says once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from couriers.contract import india
from couriers.contract.errors import CircuitOpen, Rejected, Unknown
from couriers.models import (
    AuditEntry,
    OperatorJob,
    OperatorJobItem,
    Shipment,
    ShipmentAction,
    StaffScope,
)
from tests.support.acts import ACTS, act_url, form_of, open_act, send_act, staff_client
from tests.support.drafts import raising
from tests.support.factories import CompanyFactory, ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def undelivered(account: Any, able: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return ShipmentFactory.create_batch(
        3, account=account, warehouse=warehouse, status="undelivered", status_at=timezone.now()
    )


@pytest.fixture
def operator() -> Client:
    return staff_client(*ACTS)


def test_one_shipment_is_done_at_once(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    one = undelivered[0]
    form = open_act(operator, "reattempt", one.pk)
    tomorrow = india.today() + dt.timedelta(days=1)
    assert form["date"] == [tomorrow.isoformat()]
    answer = send_act(operator, "reattempt", form)
    assert f"Re-attempt, order {one.order_number}: done. again" in answer.content.decode()
    action = ShipmentAction.objects.get()
    assert (action.kind, action.day, action.asked_by.username) == (
        "reattempt", tomorrow, "operator",
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.shipment_id, entry.details["act"]) == (
        "act_on_shipment", one.pk, "reattempt",
    )  # fmt: skip


def test_a_double_click_asks_once(operator: Client, undelivered: list[Shipment], able: Any) -> None:
    form = open_act(operator, "rto", undelivered[0].pk)
    send_act(operator, "rto", form)
    answer = send_act(operator, "rto", form)
    assert answer.resolver_match.url_name == "shipcrowd_operator_job"
    assert len(able.asked) == 1
    assert OperatorJob.objects.count() == AuditEntry.objects.count() == 1


def test_a_page_left_open_says_what_changed_and_does_nothing(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    one = undelivered[0]
    form = open_act(operator, "reattempt", one.pk)
    other = staff_client(*ACTS, username="anita")
    send_act(other, "reattempt", open_act(other, "reattempt", one.pk))
    answer = send_act(operator, "reattempt", form)
    assert answer.status_code == 409
    content = answer.content.decode()
    assert "Nothing was done: the shipment has changed" in content
    assert "anita: another delivery attempt" in content
    assert len(able.asked) == 1
    # The page carries the new version, so a second press goes on.
    send_act(operator, "reattempt", form_of(answer))
    assert len(able.asked) == 2


def test_a_page_whose_shipment_was_delivered_offers_nothing(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    form = open_act(operator, "rto", undelivered[0].pk)
    Shipment.objects.filter(pk=undelivered[0].pk).update(status="delivered")
    answer = send_act(operator, "rto", form)
    content = answer.content.decode()
    assert "It is now delivered" in content
    assert "Confirm" not in content
    assert able.asked == []


def test_the_page_says_what_cannot_be_done_and_why(
    operator: Client, undelivered: list[Shipment], shipment: Shipment
) -> None:
    Shipment.objects.filter(pk=undelivered[0].pk).update(ndr_reason="refused by customer")
    ids = [one.pk for one in (*undelivered, shipment)]
    content = operator.get(act_url("reattempt", *ids)).content.decode()
    assert "It is done for 2 shipments" in content
    assert "It cannot be done for 2" in content
    assert "refused by customer" in content
    assert "It is booked." in content


def test_several_are_a_job_with_a_report(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    answer = send_act(
        operator, "reattempt", open_act(operator, "reattempt", *[one.pk for one in undelivered])
    )
    job = OperatorJob.objects.get()
    assert answer.resolver_match.url_name == "shipcrowd_operator_job"
    assert 'http-equiv="refresh"' in answer.content.decode()
    from couriers.tasks import run_operator_job

    run_operator_job(job.pk)
    content = operator.get(answer.request["PATH_INFO"]).content.decode()
    assert "Done: 3" in content
    assert "http-equiv" not in content
    assert len(able.asked) == 3
    assert [entry.details["count"] for entry in AuditEntry.objects.all()] == [3]


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (Rejected("refused by the courier"), "refused", "refused by the courier"),
        (Unknown("read time-out"), "unknown", "Ask the courier before you go on."),
    ],
)
def test_the_message_says_what_came_of_it(
    operator: Client, undelivered: list[Shipment], able: Any, error: Any, outcome: str, said: str
) -> None:
    able.on_call["request_rto"] = raising(error)
    answer = send_act(operator, "rto", open_act(operator, "rto", undelivered[0].pk))
    assert said in answer.content.decode()
    assert OperatorJobItem.objects.get().outcome == outcome


def test_a_courier_that_is_away_makes_the_action_wait(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    able.on_call["request_rto"] = raising(CircuitOpen("the courier has been failing"))
    answer = send_act(operator, "rto", open_act(operator, "rto", undelivered[0].pk))
    content = answer.content.decode()
    assert "waiting. The courier has been failing." in content
    assert "Tried 1 time" in content
    assert OperatorJobItem.objects.get().outcome == "waiting"


def test_an_address_is_asked_for_and_stored_nowhere_else(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    form = open_act(operator, "address", undelivered[0].pk)
    assert {"phone", "address", "date"} <= set(form)
    assert "name" not in form
    answer = send_act(operator, "address", form, phone="12")
    assert "phone" in answer.content.decode()
    assert able.asked == []
    answer = send_act(operator, "address", form_of(answer), phone="9812345678")
    undelivered[0].refresh_from_db()
    assert undelivered[0].consignee_phone == "9812345678"
    assert OperatorJob.objects.order_by("id").last().asked == {}
    assert "9812345678" not in str(AuditEntry.objects.values_list("details", "reason"))


def test_one_address_at_a_time(operator: Client, undelivered: list[Shipment]) -> None:
    url = act_url("address", *[one.pk for one in undelivered])
    answer = operator.get(url, follow=True)
    assert "for one shipment at a time" in answer.content.decode()


def test_a_wrong_day_is_refused_by_the_couriers_rule(
    operator: Client, undelivered: list[Shipment], able: Any
) -> None:
    form = open_act(operator, "reattempt", undelivered[0].pk)
    late = (india.today() + dt.timedelta(days=30)).isoformat()
    answer = send_act(operator, "reattempt", form, date=late)
    assert "must be tomorrow to 7 days ahead" in answer.content.decode()
    assert able.asked == []


def test_who_may_not_act_gets_403(undelivered: list[Shipment], able: Any) -> None:
    reader = staff_client("view_shipment", username="reader")
    assert reader.get(act_url("rto", undelivered[0].pk)).status_code == 403
    form = open_act(staff_client(*ACTS), "rto", undelivered[0].pk)
    assert reader.post(act_url("rto"), form).status_code == 403
    assert able.asked == []


def test_another_companys_shipment_is_not_there(undelivered: list[Shipment], able: Any) -> None:
    held = staff_client(*ACTS)
    user = held.get("/admin/").wsgi_request.user
    StaffScope.objects.create(user=user).companies.add(CompanyFactory())
    assert held.get(act_url("rto", undelivered[0].pk)).status_code == 404
    form = {"ids": undelivered[0].pk, "token": "t" * 20}
    assert held.post(act_url("rto"), form).status_code == 404
    assert able.asked == []


@pytest.mark.parametrize("path", ["nonsense", "pickup"])
def test_junk_is_not_there(operator: Client, path: str) -> None:
    assert operator.get(act_url(path, "shp_none")).status_code == 404
    assert operator.get(act_url(path, "%00")).status_code == 404


def test_nothing_ticked_says_so(operator: Client, undelivered: list[Shipment]) -> None:
    back = reverse("admin:shipcrowd_worklist", args=["ndr"])
    for url in (
        f"{reverse('admin:shipcrowd_act', args=['rto'])}?next={back}",
        reverse("admin:shipcrowd_row_act", args=["ndr", "assign"]),
    ):
        answer = operator.get(url, follow=True)
        assert answer.resolver_match.url_name == "shipcrowd_worklist"
        assert "Tick at least one row first." in answer.content.decode()
