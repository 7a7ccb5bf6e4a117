"""What each courier can do, and whether the company may book with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from couriers.models import Courier, CourierAccount
from couriers_ekart.mapper.options import EkartOptions
from tests.support.factories import CompanyFactory, CourierAccountFactory, make_api_key

pytestmark = pytest.mark.django_db
URL = "/api/v1/couriers/"


@pytest.fixture
def ekart(company: Any) -> CourierAccount:
    return CourierAccountFactory(company=company)


def shown(client: Client, code: str) -> Any:
    answer = client.get(f"{URL}{code}/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_courier_shows_its_capabilities_services_limits_and_the_schema_of_its_options(
    storefront: Client, ekart: CourierAccount
) -> None:
    found = shown(storefront, "ekart")
    assert found["services"] == ["SURFACE", "EXPRESS"]
    assert found["limits"] == {
        "max_cod_amount": "49999.00", "max_weight_g": 30_000, "labels_per_call": 100,
        "shipments_per_manifest": 100, "tracked_per_call": 1,
    }  # fmt: skip
    assert "get_rates" in found["capabilities"]
    assert "find_booking" not in found["capabilities"]
    assert found["options"] == EkartOptions.model_json_schema()
    assert found["account"] == {"id": ekart.pk, "state": "live", "canary_percent": None}
    assert (found["enabled"], found["enabled_for_company"], found["takes_bookings"]) == (
        True, True, True,
    )  # fmt: skip
    assert storefront.get(URL).json() == [found]


def test_no_secret_of_the_account_is_shown(storefront: Client, ekart: CourierAccount) -> None:
    text = storefront.get(URL).content.decode()
    for secret in (*ekart.login.values(), ekart.webhook_secret, ekart.base_url):
        assert f'"{secret}"' not in text


@pytest.mark.parametrize(
    ("account", "courier", "states"),
    [
        ({"rollout": "canary"}, {}, (True, True, True, "canary")),
        ({"rollout": "off"}, {}, (True, True, False, "off")),
        ({}, {"is_enabled": False}, (False, True, False, "live")),
        ({}, {"rollout": "off"}, (True, False, False, "live")),
    ],
)
def test_the_switches_of_the_courier_and_the_account_are_shown(
    storefront: Client, ekart: CourierAccount, account: Any, courier: Any, states: Any
) -> None:
    CourierAccount.objects.filter(pk=ekart.pk).update(**account)
    Courier.objects.filter(pk="ekart").update(**courier)
    found = shown(storefront, "ekart")
    assert states == (
        found["enabled"], found["enabled_for_company"], found["takes_bookings"],
        found["account"]["state"],
    )  # fmt: skip
    percent = found["account"]["canary_percent"]
    assert percent == (5 if account == {"rollout": "canary"} else None)


def test_a_company_without_an_account_sees_the_courier_and_nobody_elses_account(
    client: Client, ekart: CourierAccount
) -> None:
    headers = {"Authorization": f"Bearer {make_api_key(CompanyFactory())}"}
    found = client.get(f"{URL}ekart/", headers=headers).json()
    assert (found["account"], found["enabled_for_company"], found["takes_bookings"]) == (
        None, None, False,
    )  # fmt: skip


@pytest.mark.parametrize("code", ["dhl", "EKART", "x" * 31])
def test_an_unknown_courier_is_not_found(
    storefront: Client, ekart: CourierAccount, code: str
) -> None:
    assert storefront.get(f"{URL}{code}/").status_code == 404


def test_the_list_makes_three_statements(
    storefront: Client, ekart: CourierAccount, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        assert storefront.get(URL).status_code == 200
