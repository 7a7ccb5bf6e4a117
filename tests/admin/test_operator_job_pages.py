"""The pages of operators' jobs: who sees them, the report, and two people who press at once."""

from __future__ import annotations

import csv
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers import tasks
from couriers.contract.errors import Rejected
from couriers.models import OperatorJob, Shipment, ShipmentAction, StaffScope
from tests.support.acts import ACTS, act_url, open_act, send_act, staff_client
from tests.support.drafts import raising
from tests.support.factories import CompanyFactory, ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


def undelivered(account: Any, count: int, **values: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return ShipmentFactory.create_batch(
        count, account=account, warehouse=warehouse, status="undelivered",
        status_at=timezone.now(), **values,
    )  # fmt: skip


def report_of(client: Client, job: OperatorJob) -> list[list[str]]:
    answer = client.get(reverse("admin:shipcrowd_operator_job_csv", args=[job.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    return list(csv.reader(lines))


def run_all(client: Client, shipments: list[Shipment], kind: str = "rto") -> OperatorJob:
    send_act(client, kind, open_act(client, kind, *[one.pk for one in shipments]))
    job = OperatorJob.objects.get()
    tasks.run_operator_job(job.pk)
    return job


def test_the_report_holds_no_formula(account: Any, able: Any) -> None:
    rows = undelivered(account, 2)
    Shipment.objects.filter(pk=rows[0].pk).update(order_number="=1+1")
    able.on_call["request_rto"] = raising(Rejected("-2+3 is not taken"))
    operator = staff_client(*ACTS)
    job = run_all(operator, rows)
    header, *lines = report_of(operator, job)
    assert header == [
        "order_number", "shipment_id", "company", "courier", "outcome", "ended_at", "words",
    ]  # fmt: skip
    assert {line[0] for line in lines} == {"'=1+1", rows[1].order_number}
    assert {line[6] for line in lines} == {"'-2+3 is not taken"}
    assert {line[4] for line in lines} == {"refused"}


def test_a_job_is_its_actors_and_of_those_who_may_view_jobs(account: Any, able: Any) -> None:
    job = run_all(staff_client(*ACTS), undelivered(account, 2))
    url = reverse("admin:shipcrowd_operator_job", args=[job.pk])
    for permissions, status in ((ACTS, 403), (("view_shipment", "view_operatorjob"), 200)):
        client = staff_client(*permissions, username=f"user-{status}")
        assert client.get(url).status_code == status
        csv_url = reverse("admin:shipcrowd_operator_job_csv", args=[job.pk])
        assert client.get(csv_url).status_code == status


def test_who_is_held_to_a_company_sees_its_own_jobs_alone(account: Any, able: Any) -> None:
    job = run_all(staff_client(*ACTS), undelivered(account, 2))
    held = staff_client(*ACTS, "view_operatorjob", username="held")
    user = held.get("/admin/").wsgi_request.user
    StaffScope.objects.create(user=user).companies.add(CompanyFactory())
    assert held.get(reverse("admin:shipcrowd_operator_job", args=[job.pk])).status_code == 404
    listed = held.get(reverse("admin:shipcrowd_couriers_operatorjob_changelist"))
    assert job.pk not in listed.content.decode()


def test_two_people_who_confirm_at_the_same_time_ask_once(account: Any, able: Any) -> None:
    [one] = undelivered(account, 1)
    clients = [staff_client(*ACTS, username=name) for name in ("anita", "ravi")]
    forms = [open_act(client, "reattempt", one.pk) for client in clients]
    barrier, pages = threading.Barrier(2), {}

    def press(number: int) -> None:
        try:
            barrier.wait(5)
            answer = send_act(clients[number], "reattempt", forms[number])
            pages[number] = answer.content.decode()
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[number]) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(able.asked) == 1
    first = ShipmentAction.objects.get().asked_by.username
    assert sorted(": done. again" in page for page in pages.values()) == [False, True]
    [second] = [page for page in pages.values() if ": done. again" not in page]
    assert "Nothing was done" in second
    assert f"{first}: another delivery attempt" in second


def test_the_same_form_twice_at_the_same_time_asks_once(account: Any, able: Any) -> None:
    [one] = undelivered(account, 1)
    client = staff_client(*ACTS)
    form = open_act(client, "rto", one.pk)
    other = Client()
    other.cookies = client.cookies
    barrier = threading.Barrier(2)

    def press(by: Client) -> None:
        try:
            barrier.wait(5)
            by.post(act_url("rto"), form)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[by]) for by in (client, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(able.asked) == OperatorJob.objects.count() == 1


def test_ten_thousand_rows_are_one_job(account: Any, able: Any) -> None:
    [one] = undelivered(account, 1)
    with connection.cursor() as cursor:
        columns = ", ".join(
            f'"{field.column}"'
            for field in Shipment._meta.concrete_fields
            if field.column not in ("id", "order_number", "tracking_id")
        )
        cursor.execute(
            f"INSERT INTO shipcrowd_couriers_shipment (id, order_number, tracking_id, {columns})"
            f" SELECT 'shp_x' || n, 'X-' || n, 'X' || n, {columns}"
            " FROM shipcrowd_couriers_shipment, generate_series(1, 9999) AS n WHERE id = %s",
            [one.pk],
        )
    client = staff_client(*ACTS)
    page = client.get(reverse("admin:shipcrowd_worklist", args=["ndr"])).content.decode()
    assert "Re-attempt all 10000" in page
    form = open_act(client, "reattempt", all="ndr")
    assert "ids" not in form
    answer = send_act(client, "reattempt", form)
    job = OperatorJob.objects.get()
    assert "reading the list" in answer.content.decode()
    with CaptureQueriesContext(connection) as queries:
        from couriers.fulfilment.operator_jobs import fill
        from couriers.operations.worklist_filters import rows_of

        assert fill(job.pk, rows_of(job)) == 10_000
    assert len(queries) < 12
    with CaptureQueriesContext(connection) as queries:
        shown = client.get(reverse("admin:shipcrowd_operator_job", args=[job.pk]))
    assert "0 of 10000 ended" in shown.content.decode()
    assert len(queries) < 15
