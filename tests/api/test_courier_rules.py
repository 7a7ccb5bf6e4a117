"""Courier rules over the API: written, put in order, refused where they cannot work, tried out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.models import AuditEntry, Company, CourierAccount, CourierRule, Shipment
from couriers.models.courier_rule import MAX_RULES
from tests.support.api import post_json
from tests.support.choices import booking_courier, rule
from tests.support.factories import make_api_key

URL = "/api/v1/courier-rules/"
RULE: dict[str, Any] = {
    "name": "Light", "strategy": "priority", "couriers": [{"courier": "toy"}],
    "conditions": {"max_weight_g": 500},
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def toy_account(account: CourierAccount) -> CourierAccount:
    return account


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(
        method, f"{URL}{path}", "" if body is None else json.dumps(body),
        content_type="application/json",
    )  # fmt: skip


def problems(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    return {one["field"]: one["message"] for one in answer.json()["errors"]}


def given(rule: Any) -> dict[str, Any]:
    """The conditions of a rule that are not left out."""
    return {name: value for name, value in rule["conditions"].items() if value not in ([], None)}


def names(client: Client) -> list[str]:
    return [one["name"] for one in client.get(URL).json()]


def test_a_rule_is_added_shown_changed_and_deleted(storefront: Client) -> None:
    made = post_json(storefront, URL, RULE)
    told = made.json()
    assert made.status_code == 201
    assert made["Location"] == f"{URL}{told['id']}/"
    assert told["couriers"] == [{"courier": "toy", "service": "", "weight": 1}]
    assert (told["position"], told["enabled"], told["fail_over"]) == (1, True, True)
    assert storefront.get(made["Location"]).json() == told
    changed = send(storefront, "PATCH", f"{told['id']}/", {"enabled": False}).json()
    assert (changed["enabled"], given(changed)) == (False, {"max_weight_g": 500})
    replaced = send(storefront, "PUT", f"{told['id']}/", {"name": "All", "strategy": "best"}).json()
    assert (given(replaced), replaced["couriers"], replaced["enabled"]) == ({}, [], True)
    assert send(storefront, "DELETE", f"{told['id']}/").status_code == 204
    assert storefront.get(URL).json() == []
    done = AuditEntry.objects.filter(model="shipcrowd_couriers.courierrule").order_by("id")
    assert [one.action for one in done] == ["add", "change", "change", "delete"]


def test_rules_stand_in_the_order_that_was_asked_for(storefront: Client) -> None:
    for name in ("a", "b", "c"):
        post_json(storefront, URL, RULE | {"name": name})
    post_json(storefront, URL, RULE | {"name": "first", "position": 1})
    assert names(storefront) == ["first", "a", "b", "c"]
    ids = {one["name"]: one["id"] for one in storefront.get(URL).json()}
    send(storefront, "PATCH", f"{ids['a']}/", {"position": 4})
    assert names(storefront) == ["first", "b", "c", "a"]
    wanted = [ids[name] for name in ("c", "a", "first", "b")]
    answer = post_json(storefront, f"{URL}reorder/", {"rules": wanted}).json()
    assert [one["position"] for one in answer] == [1, 2, 3, 4]
    assert names(storefront) == ["c", "a", "first", "b"]
    for wrong in (wanted[:3], [*wanted[:3], wanted[0]], [*wanted, "rul_x"]):
        assert "rules" in problems(post_json(storefront, f"{URL}reorder/", {"rules": wrong}))


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"couriers": [{"courier": "nobody"}]}, "couriers[0].courier", "not a courier of this"),
        ({"couriers": [{"courier": "othertoy"}]}, "couriers[0].courier", "has no account with it"),
        ({"couriers": [{"courier": "toy"}] * 2}, "couriers", "names toy twice"),
        ({"couriers": []}, "couriers", "must name the couriers"),
        ({"strategy": "luck"}, "strategy", "not a valid choice"),
        (
            {"strategy": "weights", "couriers": [{"courier": "toy", "weight": 0}]},
            "couriers", "a weight above 0",
        ),
        (
            {"conditions": {"min_weight_g": 501, "max_weight_g": 500}},
            "conditions.min_weight_g", "more than max_weight_g",
        ),
        (
            {"conditions": {"min_value": "10.00", "max_value": "9.99"}},
            "conditions.min_value", "more than max_value",
        ),
        (
            {"conditions": {"payment_modes": ["cod"], "directions": ["reverse"]}},
            "conditions.payment_modes", "no return is paid on delivery",
        ),
        (
            {"conditions": {"states": ["Kerala"], "pincodes": ["5600", "110001"]}},
            "conditions.pincodes", "none of them lies in one of the states",
        ),
        ({"conditions": {"states": ["Atlantis"]}}, "conditions.states[0]", "state"),
        ({"conditions": {"pincodes": ["1"]}}, "conditions.pincodes[0]", "is no pincode"),
        ({"conditions": {"pincodes": ["56", "56"]}}, "conditions.pincodes", "twice"),
        ({"conditions": {"zones": ["moon"]}}, "conditions.zones[0]", "not a valid choice"),
        ({"conditions": {"colour": "red"}}, "conditions.colour", "is not a field"),
        ({"conditions": {"min_weight_g": "1"}}, "conditions.min_weight_g", "whole number"),
        ({"name": "  "}, "name", "blank"),
        ({"fail_over": False, "book_after_doubt": True}, "book_after_doubt", "needs fail"),
        ({"id": "rul_1"}, "id", "cannot be set"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused_naming_the_field(
    storefront: Client, other_courier: Any, change: dict[str, Any], field: str, message: str
) -> None:
    other_courier.delete()
    found = problems(post_json(storefront, URL, RULE | change))
    assert message in found[field], found
    assert not CourierRule.objects.exists()


def test_two_rules_have_two_names_and_there_are_not_too_many(
    company: Company, storefront: Client
) -> None:
    post_json(storefront, URL, RULE)
    assert problems(post_json(storefront, URL, RULE)) == {"name": "is the name of another rule"}
    CourierRule.objects.bulk_create(
        CourierRule(company=company, name=f"rule {n}", position=n + 2) for n in range(MAX_RULES - 1)
    )
    assert "the limit" in problems(post_json(storefront, URL, RULE | {"name": "more"}))["name"]


def test_a_rule_that_is_never_reached_or_lost_its_courier_is_shown(
    storefront: Client, account: CourierAccount
) -> None:
    wide = post_json(storefront, URL, RULE).json()
    narrow = post_json(
        storefront, URL,
        RULE | {"name": "Lighter", "conditions": {"max_weight_g": 200, "zones": ["local"]}},
    ).json()  # fmt: skip
    assert wide["warnings"] == []
    assert narrow["warnings"] == [
        {
            "field": "position",
            "code": "shadowed",
            "message": "is never reached: 'Light' before it holds for all its orders",
        }
    ]
    send(storefront, "PATCH", f"{wide['id']}/", {"enabled": False})
    account.delete()
    (warning,) = storefront.get(f"{URL}{narrow['id']}/").json()["warnings"]
    assert (warning["field"], warning["code"]) == ("couriers[0].courier", "courier_missing")


def test_a_preview_chooses_and_books_nothing(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    del order["courier"]
    with booking_courier(company, "cheap", "10"), booking_courier(company, "dear", "90"):
        by_default = post_json(storefront, f"{URL}preview/", order).json()
        made = rule(company, "dear", "cheap", name="Dear first")
        by_rule = post_json(storefront, f"{URL}preview/", order | {"courier": "auto"}).json()
        named = post_json(storefront, f"{URL}preview/", order | {"courier": "dear"})
        bad = post_json(storefront, f"{URL}preview/", order | {"parcel": {}})
    assert by_default["candidates"][0] == {
        "courier": "cheap", "service": "STANDARD", "price": "10.00", "days": 3,
    }  # fmt: skip
    assert (by_rule["rule"], by_rule["rule_name"]) == (made.pk, "Dear first")
    assert [one["courier"] for one in by_rule["candidates"]] == ["dear", "cheap"]
    assert "courier" in problems(named)
    assert "parcel.weight_g" in problems(bad)
    assert not Shipment.objects.exists()


def test_a_test_key_has_rules_of_its_own(company: Company, storefront: Client) -> None:
    mine = post_json(storefront, URL, RULE).json()
    key = make_api_key(company, is_test=True)
    tester = Client(headers={"Authorization": f"Api-Key {key}"})
    assert tester.get(URL).json() == []
    assert tester.get(f"{URL}{mine['id']}/").status_code == 404
    assert send(tester, "DELETE", f"{mine['id']}/").status_code == 404
