"""Jobs of operators: each item asks once, waits for a courier that is away, and ends."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from couriers import tasks
from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.errors import CircuitOpen, NotDone, Unknown
from couriers.fulfilment import operator_jobs
from couriers.fulfilment.changes import last_change
from couriers.fulfilment.operator_jobs import create, work
from couriers.fulfilment.outcomes import expire_requests
from couriers.models import AuditEntry, OperatorJob, OperatorJobItem, Shipment, ShipmentAction
from couriers.models.operator_job import OperatorAct
from couriers.models.seen import seen_of
from tests.support.drafts import raising
from tests.support.factories import ShipmentFactory, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = india.today() + dt.timedelta(days=1)


@pytest.fixture
def actor() -> User:
    return make_staff("view_shipment", "act_on_shipment")


@pytest.fixture
def undelivered(account: Any, able: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return ShipmentFactory.create_batch(
        4, account=account, warehouse=warehouse, status="undelivered", status_at=timezone.now()
    )


def reattempt(actor: User, shipments: list[Shipment], token: str = "t" * 16) -> OperatorJob:
    chosen = seen_of(shipments)
    return create(actor, OperatorAct.REATTEMPT, token, shipments=chosen, day=TOMORROW)[0]


def outcomes(job: OperatorJob) -> list[str]:
    return list(job.items.order_by("position").values_list("outcome", flat=True))


def make_due(**changes: Any) -> None:
    OperatorJobItem.objects.update(next_attempt_at=timezone.now(), **changes)


def test_each_item_is_asked_once_by_two_workers(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    job = reattempt(actor, undelivered)
    barrier = threading.Barrier(2)

    def run() -> None:
        try:
            barrier.wait(5)
            work(job.pk, seconds=20)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes(job) == ["done"] * 4
    assert len(able.asked) == 4
    job.refresh_from_db()
    assert (job.state, job.asked) == ("done", {})
    assert {action.asked_by for action in ShipmentAction.objects.all()} == {actor}


def test_the_same_form_makes_one_job(actor: User, undelivered: list[Shipment]) -> None:
    first = reattempt(actor, undelivered)
    assert reattempt(actor, undelivered) == first
    assert OperatorJobItem.objects.count() == 4


def test_a_worker_that_dies_during_the_call_is_not_repeated(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    def dies(_: Any) -> None:
        raise SystemExit

    able.on_call["request_reattempt"] = dies
    job = reattempt(actor, undelivered[:1])
    with pytest.raises(SystemExit):
        work(job.pk, seconds=5)
    able.on_call.clear()
    past = timezone.now() - dt.timedelta(seconds=1)
    make_due(lease_expires_at=past)
    assert work(job.pk, seconds=5) is not None  # the call may still be answered
    assert outcomes(job) == ["waiting"]
    ShipmentAction.objects.update(lease_expires_at=past)
    expire_requests()
    make_due(lease_expires_at=past)
    assert work(job.pk, seconds=5) is None
    assert outcomes(job) == ["unknown"]
    assert len(able.asked) == 1


def test_a_worker_that_dies_before_the_call_leaves_it_to_the_next(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    job = reattempt(actor, undelivered[:1])
    past = timezone.now() - dt.timedelta(seconds=1)
    make_due(lease_expires_at=past, started_at=past)
    assert work(job.pk, seconds=5) is None
    assert outcomes(job) == ["done"]


@pytest.mark.parametrize("error", [CircuitOpen("has been failing"), NotDone("come back later")])
def test_an_item_waits_for_a_courier_that_is_away_and_then_is_done(
    actor: User, undelivered: list[Shipment], able: Any, error: Any
) -> None:
    able.on_call["request_reattempt"] = raising(error)
    job = reattempt(actor, undelivered[:1])
    assert work(job.pk, seconds=5) is not None
    item = job.items.get()
    assert (item.outcome, item.tries) == ("waiting", 1)
    assert item.words == f"{error.message.capitalize()}."
    assert item.next_attempt_at > timezone.now()
    able.on_call.clear()
    make_due()
    assert work(job.pk, seconds=5) is None
    assert outcomes(job) == ["done"]


def test_an_item_ends_when_the_courier_stays_away(
    actor: User, undelivered: list[Shipment], able: Any, settings: Any
) -> None:
    settings.SHIPCROWD = {**settings.SHIPCROWD, "OPERATOR_PATIENCE": 0.0}
    able.on_call["request_reattempt"] = raising(CircuitOpen("has been failing"))
    job = reattempt(actor, undelivered[:1])
    assert work(job.pk, seconds=5) is None
    assert outcomes(job) == ["given_up"]
    assert "Nothing was done: has been failing" in job.items.get().words


def test_an_open_circuit_stops_the_slice_and_not_each_item(
    actor: User, account: Any, able: Any
) -> None:
    warehouse = account.company.warehouses.get()
    many = ShipmentFactory.create_batch(
        20, account=account, warehouse=warehouse, status="undelivered"
    )
    able.on_call["request_reattempt"] = raising(CircuitOpen("has been failing"))
    job = reattempt(actor, many)
    left = work(job.pk, seconds=20)
    assert left is not None
    assert left >= operator_jobs.HELD_BACK_PAUSE
    assert len(able.asked) < 12


def test_an_unknown_answer_is_never_repeated(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    able.on_call["request_reattempt"] = raising(Unknown("read time-out"))
    job = reattempt(actor, undelivered[:1])
    assert work(job.pk, seconds=5) is None
    assert outcomes(job) == ["unknown"]
    assert len(able.asked) == 1


def test_what_the_courier_accepted_is_told_so(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    able.on_call["request_reattempt"] = lambda _: ActionResult(ActionState.ACCEPTED, handle="U1")
    job = reattempt(actor, undelivered[:1])
    work(job.pk, seconds=5)
    assert outcomes(job) == ["accepted"]


def test_a_shipment_that_changed_since_is_left_alone(
    actor: User, undelivered: list[Shipment], able: Any
) -> None:
    job = reattempt(actor, undelivered)
    Shipment.objects.filter(pk=undelivered[1].pk).update(status="out_for_delivery")
    work(job.pk, seconds=20)
    assert outcomes(job) == ["done", "changed", "done", "done"]
    assert "It is now out for delivery" in job.items.get(position=2).words


def test_all_rows_of_a_list_are_read_in_one_statement(
    account: Any, able: Any, django_assert_num_queries: Any
) -> None:
    actor = make_staff("view_shipment", "act_on_shipment")
    warehouse = account.company.warehouses.get()
    ShipmentFactory.create_batch(30, account=account, warehouse=warehouse, status="undelivered")
    ShipmentFactory(account=account, warehouse=warehouse)
    job, _ = create(actor, OperatorAct.TRACK, "t" * 16, worklist="ndr", filters={"courier": "toy"})
    tasks.run_operator_job(job.pk)
    job.refresh_from_db()
    assert (job.total, job.state) == (30, "done")
    assert outcomes(job) == ["done"] * 30
    rows = Shipment.objects.filter(status="undelivered")
    with django_assert_num_queries(3):  # the job's row in a transaction: it is filled already
        assert operator_jobs.fill(job.pk, rows) == 30


def test_who_may_no_longer_act_does_nothing(account: Any, able: Any) -> None:
    actor = make_staff("view_shipment", "act_on_shipment")
    ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="undelivered"
    )
    job, _ = create(actor, OperatorAct.RTO, "t" * 16, worklist="ndr")
    actor.user_permissions.clear()
    tasks.run_operator_job(job.pk)
    job.refresh_from_db()
    assert (job.total, job.state) == (0, "done")
    assert able.asked == []


def test_a_job_whose_task_was_lost_is_swept(
    actor: User, undelivered: list[Shipment], able: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks, "_send", lambda task, arguments=(), **_: sent.append(arguments))
    job = reattempt(actor, undelivered)
    tasks.sweep_actions()
    tasks.sweep_actions()
    assert sent == [[job.pk]]
    work(job.pk, seconds=20)
    assert not operator_jobs.workable().exists()


def test_a_look_at_the_consignee_is_no_change_of_the_shipment(
    admin_client: Client, undelivered: list[Shipment]
) -> None:
    chosen = seen_of(undelivered)
    page = f"/admin/shipcrowd_couriers/shipment/{undelivered[0].pk}/consignee/"
    assert admin_client.post(page).status_code == 200
    assert AuditEntry.objects.get().shipment == undelivered[0]
    assert seen_of(undelivered) == chosen
    assert "show consignee" not in last_change(undelivered[0])
