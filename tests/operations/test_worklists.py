"""The work lists: which rows are on each, for whom, and that they are counted by one statement."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from couriers.models import ShipmentAction
from couriers.operations import worklists
from couriers.operations.worklists import Tally, registered, tallies, worklist
from tests.support.factories import CourierAccountFactory, make_staff
from tests.support.work import hold_to, make_work

pytestmark = pytest.mark.django_db

NAMES = {
    "doubts", "ndr", "not-picked", "flags", "chunks", "registrations", "actions", "bulk",
    "unknown-statuses", "callbacks", "endpoints",
}  # fmt: skip


def test_each_list_has_the_rows_that_need_work_and_no_other() -> None:
    rows = make_work(CourierAccountFactory())
    assert {one.name for one in registered()} == NAMES == rows.keys()
    user = make_staff()
    for one in registered():
        assert list(one.rows(user)) == [rows[one.name]], one.name


def test_a_user_held_to_a_company_sees_the_rows_of_that_company_alone() -> None:
    mine, _ = make_work(CourierAccountFactory()), make_work(CourierAccountFactory())
    user, all_seeing = make_staff(), make_staff(username="other")
    hold_to(user, mine["doubts"].company)
    for one in registered():
        assert list(one.rows(user)) == [mine[one.name]], one.name
        assert one.count(all_seeing) == 2, one.name


def test_the_lists_are_counted_by_one_statement(django_assert_num_queries: Any) -> None:
    rows = make_work(CourierAccountFactory())
    user = make_staff()
    worklists.visible_to(user, rows["doubts"].__class__.objects.all())  # reads the scope
    with django_assert_num_queries(1):
        found = tallies(user, registered())
    assert {name: tally.count for name, tally in found.items()} == dict.fromkeys(NAMES, 1)
    assert found["ndr"].oldest == rows["ndr"].status_at


def test_a_list_without_rows_is_counted_as_none() -> None:
    assert tallies(make_staff(), registered()) == dict.fromkeys(NAMES, Tally())
    assert tallies(make_staff(username="other"), []) == {}


def test_the_permission_of_a_list_is_to_view_its_rows() -> None:
    assert worklist("callbacks").permission == "shipcrowd_webhooks.view_webhookevent"
    assert worklist("unknown-statuses").permission == "shipcrowd_couriers.view_scan"


def test_an_accepted_action_is_work_once_it_should_have_ended() -> None:
    action = make_work(CourierAccountFactory())["actions"]
    action.shipment.status = "delivered"
    action.shipment.save()
    user = make_staff()
    assert not worklist("actions").count(user), "nothing is left to do for a shipment that ended"
    action.shipment.status = "undelivered"
    action.shipment.save()
    now = timezone.now()
    accepted = {"state": "accepted", "ended_at": None, "next_attempt_at": now}
    rows = ShipmentAction.objects.filter(pk=action.pk)
    rows.update(**accepted, asked_at=now - dt.timedelta(hours=25))
    assert worklist("actions").count(user) == 1
    rows.update(day=timezone.localdate(now) + dt.timedelta(days=1))
    assert not worklist("actions").count(user), "its day has not come"
    rows.update(day=None, asked_at=now - dt.timedelta(hours=23))
    assert not worklist("actions").count(user)
