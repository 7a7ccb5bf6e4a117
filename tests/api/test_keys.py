"""A company makes, rolls and revokes keys with a key of its own, and never one that can do more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from couriers.models import AuditEntry, CompanyApiKey
from tests.support.api import SHIPMENTS, post_json
from tests.support.factories import CompanyFactory

KEYS = "/api/v1/keys/"
PLAIN = {"name": "shop"}


def client_of(key: str, **more: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"}, **more)


def client_with(company: Any, **more: Any) -> Client:
    return client_of(CompanyApiKey.objects.create_key(name="maker", company=company, **more)[1])


def field_of(answer: Any) -> str:
    assert answer.status_code == 400, answer.content
    [error] = answer.json()["errors"]
    return str(error["field"])


def status(client: Client, address: str = "127.0.0.1") -> int:
    return int(client.get(SHIPMENTS, REMOTE_ADDR=address).status_code)


@pytest.fixture
def maker(company: Any) -> Client:
    return client_with(company)


def test_a_key_is_made_shown_once_and_used(maker: Client, company: Any) -> None:
    answer = post_json(maker, KEYS, PLAIN)
    made = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert made["key"].startswith("sk_live_")
    assert made["key"].startswith(made["begins_with"])
    assert (made["is_test"], made["scopes"]) == (False, ["read", "book", "operate"])
    assert status(client_of(made["key"])) == 200
    listed = maker.get(KEYS)
    assert listed.json()[0]["id"] == made["id"]
    assert len(listed.json()) == 2
    shown = maker.get(answer["Location"])
    assert shown.json() == {name: value for name, value in made.items() if name != "key"}
    for page in (listed, shown):
        assert made["key"] not in page.content.decode()
    stored = CompanyApiKey.objects.get(name="shop")
    assert stored.company == company
    assert made["key"][16:] not in f"{stored.id} {stored.hashed_key}"
    entry = AuditEntry.objects.get(action="add")
    assert (entry.company, entry.door, entry.object_key) == (company, "api", stored.prefix)
    assert entry.actor_name.startswith("API key ")
    assert entry.after == {"name": "shop", "is_test": False, "scopes": made["scopes"]}


def test_a_key_of_another_mode_is_not_made_by_its_beginning(maker: Client) -> None:
    key = post_json(maker, KEYS, PLAIN | {"is_test": True}).json()["key"]
    assert key.startswith("sk_test_")
    assert status(client_of(key)) == 200
    assert status(client_of(key.replace("sk_test_", "sk_live_"))) == 401
    assert status(client_of(key[:-1])) == 401
    assert status(client_of(key[:-1] + "é")) == 401


def test_no_key_gets_more_than_its_maker_has(company: Any) -> None:
    end = timezone.now() + dt.timedelta(days=2)
    maker = client_with(
        company, scopes=["read", "operate"], is_test=True, expiry_date=end,
        allowed_networks=["127.0.0.0/8", "2001:db8::/48"],
    )  # fmt: skip
    later = (end + dt.timedelta(seconds=1)).isoformat()
    for body, field in (
        ({"is_test": False}, "is_test"),
        ({"scopes": ["book"]}, "scopes"),
        ({"allowed_networks": []}, "allowed_networks"),
        ({"allowed_networks": ["127.0.0.0/9", "0.0.0.0/0"]}, "allowed_networks"),
        ({"allowed_networks": ["2001:db8::/32"]}, "allowed_networks"),
        ({"expires_at": later}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00"}, "expires_at"),
    ):  # fmt: skip
        assert field_of(post_json(maker, KEYS, PLAIN | body)) == field, body
    made = post_json(maker, KEYS, PLAIN).json()
    assert made["scopes"] == ["read", "operate"]
    assert made["is_test"] is True
    assert made["allowed_networks"] == ["127.0.0.0/8", "2001:db8::/48"]
    assert dt.datetime.fromisoformat(made["expires_at"]) == end.replace(
        microsecond=end.microsecond // 1000 * 1000
    )
    narrow = {"scopes": ["read"], "allowed_networks": ["127.0.0.1"], "name": "narrow"}
    made = post_json(maker, KEYS, narrow).json()
    assert (made["scopes"], made["allowed_networks"]) == (["read"], ["127.0.0.1/32"])


@pytest.mark.parametrize(
    "value",
    ["nowhere", "10.0.0.1/8", "2001:db8::1/128", "1.2.3.4/33", "", "1.2.3.4,1.2.3.5", 7, None],
)
def test_what_is_no_network_is_refused(maker: Client, value: Any) -> None:
    answer = post_json(maker, KEYS, PLAIN | {"allowed_networks": [value]})
    assert field_of(answer).startswith("allowed_networks")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 51}, "name"),
        (PLAIN | {"scopes": []}, "scopes"), (PLAIN | {"scopes": ["all"]}, "scopes.0"),
        (PLAIN | {"is_test": "yes"}, "is_test"), (PLAIN | {"key": "sk_live_mine"}, "key"),
        (PLAIN | {"expires_at": "soon"}, "expires_at"),
        (PLAIN | {"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        (PLAIN | {"allowed_networks": ["10.0.0.0/8"] * 21}, "allowed_networks"),
    ],
)  # fmt: skip
def test_a_bad_request_makes_no_key(maker: Client, body: Any, field: str) -> None:
    assert field_of(post_json(maker, KEYS, body)).replace("[", ".").rstrip("]") == field
    assert CompanyApiKey.objects.count() == 1


def test_a_rolled_key_ends_after_the_overlap(maker: Client) -> None:
    old = post_json(maker, KEYS, PLAIN | {"scopes": ["read"]}).json()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answer = post_json(maker, f"{KEYS}{old['id']}/roll/", {"overlap_hours": 2})
        new = answer.json()
        assert answer.status_code == 201
        assert (new["name"], new["scopes"]) == ("shop", ["read"])
        assert new["key"] != old["key"]
        assert [status(client_of(one["key"])) for one in (old, new)] == [200, 200]
        clock.shift(dt.timedelta(hours=2, seconds=1))
        assert [status(client_of(one["key"])) for one in (old, new)] == [401, 200]
    entry = AuditEntry.objects.get(action="roll")
    assert entry.details == {"successor": new["id"].removeprefix("key_")}


def test_a_roll_without_overlap_ends_the_key_at_once(maker: Client) -> None:
    old = post_json(maker, KEYS, PLAIN).json()
    new = post_json(maker, f"{KEYS}{old['id']}/roll/", {"overlap_hours": 0}).json()
    assert [status(client_of(one["key"])) for one in (old, new)] == [401, 200]


def test_a_key_that_has_more_is_not_rolled_by_one_that_has_less(company: Any) -> None:
    strong = CompanyApiKey.objects.create_key(name="strong", company=company)[0]
    path = f"{KEYS}key_{strong.prefix}/roll/"
    answer = post_json(client_with(company, scopes=["operate"]), path, {})
    assert (answer.status_code, answer.json()["scope"]) == (403, "read")
    answer = post_json(client_with(company, allowed_networks=["127.0.0.1/32"]), path, {})
    assert field_of(answer) == "key"
    assert CompanyApiKey.objects.filter(name="strong", expiry_date=None).count() == 1


def test_a_revoked_key_is_refused_even_if_it_is_the_one_that_asks(maker: Client) -> None:
    made = post_json(maker, KEYS, PLAIN).json()
    mine = client_of(made["key"])
    assert mine.delete(f"{KEYS}{made['id']}/").status_code == 204
    assert status(mine) == 401
    assert maker.get(f"{KEYS}{made['id']}/").status_code == 404
    assert AuditEntry.objects.get(action="revoke").object_key == made["id"].removeprefix("key_")


def test_a_key_without_operate_sees_and_makes_none(company: Any) -> None:
    client = client_with(company, scopes=["read", "book"])
    for answer in (client.get(KEYS), post_json(client, KEYS, PLAIN)):
        assert (answer.status_code, answer.json()["scope"]) == (403, "operate")


def test_a_test_key_sees_test_keys_alone_and_a_live_key_all(company: Any) -> None:
    live, test = client_with(company), client_with(company, is_test=True)
    assert sorted(one["is_test"] for one in live.get(KEYS).json()) == [False, True]
    assert [one["is_test"] for one in test.get(KEYS).json()] == [True]
    hidden = CompanyApiKey.objects.get(is_test=False)
    for answer in (
        test.get(f"{KEYS}key_{hidden.prefix}/"),
        test.delete(f"{KEYS}key_{hidden.prefix}/"),
        post_json(test, f"{KEYS}key_{hidden.prefix}/roll/", {}),
    ):
        assert answer.status_code == 404


def test_another_companys_key_is_not_there(maker: Client) -> None:
    other = CompanyApiKey.objects.create_key(name="x", company=CompanyFactory(slug="other"))[0]
    assert maker.get(f"{KEYS}key_{other.prefix}/").status_code == 404
    assert maker.delete(f"{KEYS}{other.prefix}/").status_code == 404
    other.refresh_from_db()
    assert not other.revoked


def test_a_company_has_a_hundred_keys_at_most(
    maker: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("couriers.operations.api_keys.MAX_KEYS", 2)
    made = post_json(maker, KEYS, PLAIN).json()
    assert field_of(post_json(maker, KEYS, PLAIN)) == "name"
    assert maker.delete(f"{KEYS}{made['id']}/").status_code == 204
    assert post_json(maker, KEYS, PLAIN).status_code == 201


def test_a_key_is_refused_from_an_address_that_it_does_not_allow(company: Any) -> None:
    client = client_with(company, allowed_networks=["203.0.113.0/24", "2001:db8:1::/48"])
    assert status(client, "203.0.113.9") == 200
    assert status(client, "::ffff:203.0.113.9") == 200
    assert status(client, "2001:db8:1:7::9") == 200
    for address in ("203.0.114.9", "2001:db8:2::9", "", "unix"):
        answer = client.get(SHIPMENTS, REMOTE_ADDR=address)
        assert answer.status_code == 403, address
        assert answer.json()["type"].endswith("/problems/address-not-allowed")
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert client.get(SHIPMENTS, REMOTE_ADDR="198.51.100.1", **forwarded).status_code == 403


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    company: Any, settings: Any
) -> None:
    settings.SHIPCROWD = {**settings.SHIPCROWD, "PROXIES": 1}
    client = client_with(company, allowed_networks=["203.0.113.0/24"])
    for sent, expected in (("203.0.113.9", 200), ("203.0.113.9, 198.51.100.1", 403)):
        answer = client.get(SHIPMENTS, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=sent)
        assert answer.status_code == expected, sent
