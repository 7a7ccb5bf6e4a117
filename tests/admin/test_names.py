"""Rows are called by the names that people know, in lists, messages and choices."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from couriers.models import (
    CallbackTally,
    Company,
    CourierAccount,
    CourierToken,
    ReservedId,
    WarehouseRegistration,
)
from tests.support.admin_links import list_url
from tests.support.factories import CourierAccountFactory, WarehouseFactory


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _rows(number: int) -> list[CourierAccount]:
    accounts = [CourierAccountFactory() for _ in range(number)]
    for account in accounts:
        CallbackTally.objects.create(account=account)
        CourierToken.objects.create(
            account=account, access_token="t", expires_at=timezone.now()
        )  # fmt: skip
        warehouse = WarehouseFactory(company=account.company)
        WarehouseRegistration.objects.create(account=account, warehouse=warehouse)
        now = timezone.now()
        ReservedId.objects.create(
            account=account, courier_id="ekart", number=account.pk, fetched_at=now, use_from=now,
            state_at=now,
        )  # fmt: skip
    return accounts


def test_an_account_is_called_by_its_courier_and_company(account: Any) -> None:
    Company.objects.update(name="Acme")
    account.refresh_from_db()
    warehouse = account.company.warehouses.get()
    registration = WarehouseRegistration(account=account, warehouse=warehouse)
    assert str(account) == "Toy account of Acme"
    assert str(CallbackTally(account=account)) == "Callbacks of the Toy account of Acme"
    assert str(CourierToken(account=account)) == "Token of the Toy account of Acme"
    assert str(registration) == f"{warehouse.name} at Toy"


@pytest.mark.parametrize(
    "model", [CallbackTally, CourierToken, WarehouseRegistration, ReservedId, CourierAccount]
)
def test_a_list_reads_the_names_with_its_rows(
    operator: Client, model: type[Any], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    accounts = _rows(12)
    with django_assert_max_num_queries(12):
        shown = operator.get(list_url(model)).content.decode()
    for account in accounts:
        assert account.company.name in shown


def test_a_no_is_shown_without_alarm(operator: Client, db: None) -> None:
    CourierAccountFactory()
    Company.objects.update(is_active=False)
    shown = operator.get(list_url(Company)).content.decode()
    assert 'aria-label="No"' in shown
    assert "bg-red-100" not in shown[shown.index("result_list") :]
