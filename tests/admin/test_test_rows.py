"""Test rows are marked in the admin, and counted in no figure and on no work list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.contract import india
from couriers.models import (
    BookingAttempt,
    BulkJob,
    BulkOrder,
    CompanyApiKey,
    CourierAccount,
    DayFigure,
    FlagKind,
    Manifest,
    ManifestChunk,
    Scan,
    Shipment,
    ShipmentAction,
    Warehouse,
    WarehouseRegistration,
)
from couriers.models.flag import raise_flag
from couriers.operations import day_figures, health_lists, worklists
from couriers.operations.shipment_gauges import doubt_gauges, flag_gauges
from tests.support.admin_links import list_url, row_url
from tests.support.factories import (
    CourierAccountFactory,
    CourierRowFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.work import endpoint_that_is

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(account: Any) -> CourierAccount:
    """The company's test account beside its live one, each with a row on every list."""
    made: CourierAccount = CourierAccountFactory(
        company=account.company, courier=account.courier, is_test=True
    )
    WarehouseFactory(company=account.company, is_test=True)
    for one in (account, made):
        _a_row_on_every_list(one)
    return made


def _a_row_on_every_list(account: CourierAccount) -> None:
    warehouse = Warehouse.objects.get(company=account.company, is_test=account.is_test)
    now = timezone.now()

    def shipment(status: str, **columns: Any) -> Shipment:
        made: Shipment = ShipmentFactory(
            account=account, warehouse=warehouse, status=status, status_at=now, booked_at=now,
            **columns,
        )  # fmt: skip
        return made

    for status in ("in_doubt", "undelivered", "not_picked", "lost", "failed", "delivered"):
        shipment(status)
    moving = shipment("in_transit", attempt=2)
    BookingAttempt.objects.create(
        shipment=moving, number=1, account=account, courier=CourierRowFactory(code="first"),
        outcome="rejected", started_at=now, ended_at=now,
    )  # fmt: skip
    raise_flag(moving, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    for status in ("", "undelivered", "rto_in_transit"):
        Scan.objects.create(shipment=moving, at=now, courier_status=f"x{status}", status=status)
    ShipmentAction.objects.create(
        shipment=moving, kind="cancel", state="unknown", ended_at=now, asked={}
    )
    WarehouseRegistration.objects.create(account=account, warehouse=warehouse, state="failed")
    manifest = Manifest.objects.create(company=account.company, account=account)
    ManifestChunk.objects.create(
        manifest=manifest, position=0, tracking_ids=["x"], state="failed", finished_at=now
    )
    job = BulkJob.objects.create(company=account.company, total=1, is_test=account.is_test)
    BulkOrder.objects.create(
        job=job, position=0, order_number="B-1", outcome="failed", finished_at=now
    )
    endpoint_that_is(account.company, "failing", is_test=account.is_test)
    endpoint_that_is(account.company, failing_since=now, is_test=account.is_test)


LISTS = (
    "doubts", "ndr", "not-picked", "flags", "chunks", "registrations", "actions", "bulk",
    "unknown-statuses", "lost", "failed-bookings", "failed-over", "endpoints",
    "endpoints-failing",
)  # fmt: skip


def every_list() -> dict[str, worklists.Worklist]:
    found = (*worklists.registered(), *health_lists.registered())
    return {one.name: one for one in found}


@pytest.mark.parametrize("name", LISTS)
def test_no_test_row_is_on_a_work_list(trial: Any, admin_user: Any, name: str) -> None:
    one = every_list()[name]
    assert list(one.rows(admin_user).values_list(one.is_test, flat=True)) == [False]


def test_every_list_about_shipments_leaves_test_rows_out() -> None:
    others = set(every_list()) - set(LISTS)
    for name in others:
        one = every_list()[name]
        assert one.model._meta.model_name in ("courieraccount", "courier", "webhookevent"), name


def test_test_shipments_are_in_no_figure_of_a_day(trial: Any) -> None:
    day_figures.count_day(india.today())
    figure = DayFigure.objects.get(day=india.today(), company=trial.company)
    assert (figure.booked, figure.delivered) == (7, 1)
    assert (figure.undelivered, figure.returned) == (1, 1)


def test_no_gauge_counts_a_test_shipment(trial: Any) -> None:
    text = metrics_text()
    assert 'shipcrowd_bookings_in_doubt{courier="toy"} 1.0' in text
    assert 'shipcrowd_duplicate_bookings{courier="toy"} 1.0' in text


def metrics_text() -> str:
    return "\n".join(
        f'{sample.name}{{courier="{sample.labels["courier"]}"}} {float(sample.value)}'
        for metric in (*doubt_gauges(), *flag_gauges())
        for sample in metric.samples
        if "kind" not in sample.labels
    )


def test_the_list_marks_test_rows_and_filters_them(admin_client: Client, trial: Any) -> None:
    answer = admin_client.get(list_url(Shipment))
    assert {row.is_test for row in answer.context["cl"].queryset} == {False, True}
    assert "Test" in answer.content.decode()
    only = admin_client.get(f"{list_url(Shipment)}?is_test__exact=1")
    assert {row.is_test for row in only.context["cl"].queryset} == {True}
    shipment = Shipment.objects.filter(is_test=True).first()
    assert "Test: no parcel moves" in admin_client.get(row_url(shipment)).content.decode()


def test_a_key_of_a_mode_with_networks_is_made_by_the_form(
    admin_client: Client, company: Any
) -> None:
    url = f"{list_url(CompanyApiKey)}add/"
    typed = {
        "company": company.pk, "name": "trial", "is_test": "on", "scopes": ["read"],
        "allowed_networks": "203.0.113.0/24,198.51.100.7",
    }  # fmt: skip
    page = admin_client.post(url, typed).content.decode()
    assert "sk_test_" in page
    key = CompanyApiKey.objects.get()
    assert key.is_test
    assert key.allowed_networks == ["203.0.113.0/24", "198.51.100.7/32"]
    refused = admin_client.post(url, typed | {"allowed_networks": "10.0.0.1/8"})
    assert "write 10.0.0.0/8" in refused.content.decode()
    assert CompanyApiKey.objects.count() == 1


def test_the_mode_of_a_row_is_chosen_once(admin_client: Client, trial: Any) -> None:
    make_api_key(trial.company, is_test=True)
    for row in (
        trial, CompanyApiKey.objects.get(), Warehouse.objects.get(is_test=True),
    ):  # fmt: skip
        form = admin_client.get(row_url(row)).context["adminform"].form
        assert "is_test" not in form.fields, row
