"""The filters of the list of shipments."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from couriers.contract.india.days import IST
from couriers.models import Shipment
from couriers.models.ids import first_shipment_id
from couriers.operations.ndr_reasons import ndr_reasons
from tests.support.admin_links import list_url
from tests.support.factories import make_staff
from tests.support.parcels import make_shipments

LIST = list_url(Shipment)


def made_at(account: Any, moment: dt.datetime, **fields: Any) -> str:
    """A shipment with the id of this time; its tracking id tells it apart."""
    (old,) = make_shipments(account, 1, **fields)
    pk = first_shipment_id(moment)
    Shipment.objects.filter(pk=old).update(id=pk, created_at=moment)
    return pk


def shown(client: Client, **filters: str) -> set[str]:
    answer = client.get(LIST, filters)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


@pytest.fixture
def days(client: Client, account: Any) -> list[str]:
    """The last second of a day in India, noon of the next, the first second of the day after."""
    client.force_login(make_staff("view_shipment"))
    moments = [
        dt.datetime(2026, 11, 9, 23, 59, 59, tzinfo=IST),
        dt.datetime(2026, 11, 10, 12, tzinfo=IST),
        dt.datetime(2026, 11, 11, tzinfo=IST),
    ]
    return [made_at(account, moment) for moment in moments]


def test_days_are_those_of_india_and_both_are_included(client: Client, days: list[str]) -> None:
    one_day = {"created_at_from": "2026-11-10", "created_at_to": "2026-11-10"}
    assert shown(client, **one_day) == {days[1]}
    assert shown(client, created_at_from="2026-11-10") == set(days[1:])
    assert shown(client, created_at_to="2026-11-10") == set(days[:2])


@pytest.mark.parametrize("text", ["yesterday", "2026-02-31", "0001-01-01", "9999-12-31", "\0"])
def test_what_is_no_day_is_said_and_harms_nothing(
    client: Client, days: list[str], text: str
) -> None:
    answer = client.get(LIST, {"created_at_from": text})
    assert answer.status_code == 200
    if text in ("yesterday", "2026-02-31"):
        assert "Enter a valid date" in answer.content.decode()


def test_filters_are_combined(client: Client, account: Any, days: list[str]) -> None:
    reason = "Consignee unavailable"
    Shipment.objects.filter(pk__in=days[1:]).update(status="undelivered", ndr_reason=reason)
    chosen = {
        "created_at_to": "2026-11-10", "status__exact": "undelivered", "ndr_reason": reason,
        "courier__code__exact": account.courier_id, "direction__exact": "forward",
        "company__id__exact": str(account.company_id),
    }  # fmt: skip
    assert shown(client, **chosen) == {days[1]}
    assert shown(client, **chosen | {"direction__exact": "reverse"}) == set()


def test_the_reasons_are_those_that_shipments_have(account: Any) -> None:
    assert ndr_reasons() == []
    for reason in ("Refused", "Closed", "Refused", ""):
        make_shipments(account, 2, ndr_reason=reason)
    assert ndr_reasons() == ["Closed", "Refused"]
