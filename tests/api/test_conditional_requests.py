"""Entity tags: 304 for what a client has, 412 for a change of what has changed since."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from couriers.models import AuditEntry, CourierCall, Scan, Shipment, ShipmentAction
from couriers.operations.erasure import erase_locked
from tests.support.api import SHIPMENTS, set_status
from tests.support.factories import CompanyFactory, make_api_key


@pytest.fixture
def url(shipment: Any) -> str:
    return f"{SHIPMENTS}{shipment.pk}/"


def get(client: Client, url: str, tag: str = "", **more: str) -> Any:
    headers = {"If-None-Match": tag} if tag else {}
    return client.get(url, headers=headers | more)


def patch(client: Client, url: str, body: Any, **headers: str) -> Any:
    return client.patch(url, json.dumps(body), content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", ["", "?sort=updated_at", "{pk}/", "{pk}/?expand=scans"])
def test_what_a_client_has_is_not_sent_again(
    storefront: Client, shipment: Shipment, path: str
) -> None:
    url = SHIPMENTS + path.format(pk=shipment.pk)
    first = get(storefront, url)
    tag = first["ETag"]
    assert tag.startswith('"')
    for again in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = get(storefront, url, again)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert get(storefront, url, '"x"').content == first.content
    set_status(shipment, "delivered")
    changed = get(storefront, url, tag)
    assert (changed.status_code, changed["ETag"] != tag) == (200, True)


def test_a_tag_of_csv_is_not_that_of_json(storefront: Client, shipment: Shipment) -> None:
    tag = get(storefront, SHIPMENTS)["ETag"]
    answer = get(storefront, SHIPMENTS, tag, Accept="text/csv")
    assert answer.status_code == 200
    assert get(storefront, SHIPMENTS, answer["ETag"], Accept="text/csv").status_code == 304


def test_a_header_with_too_many_tags_is_refused(storefront: Client, url: str) -> None:
    answer = get(storefront, url, '"x"' * 400)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "If-None-Match")


def test_head_has_the_headers_of_get(storefront: Client, url: str) -> None:
    for path in (url, SHIPMENTS):
        shown, head = storefront.get(path), storefront.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head["ETag"] == shown["ETag"]


def test_expand_shows_what_it_names(storefront: Client, shipment: Shipment, url: str) -> None:
    Scan.objects.create(shipment=shipment, at="2026-11-28T10:00:00Z", courier_status="In Transit")
    ShipmentAction.objects.create(
        shipment=shipment, kind="address", state="done", ended_at="2026-11-28T10:00:00Z",
        asked={"phone": "9123456780"}, words="done",
    )  # fmt: skip
    CourierCall.objects.create(
        account=shipment.account, shipment=shipment, operation="create_shipment",
        outcome="rejected", message="call 9123456780", started_at="2026-11-28T09:00:00Z",
        finished_at="2026-11-28T09:00:01Z",
    )  # fmt: skip
    plain = storefront.get(url).json()
    assert (plain["scans"], plain["actions"], plain["calls"]) == (None, None, None)
    answer = storefront.get(f"{url}?expand=scans,calls")
    shown = answer.json()
    assert [scan["courier_status"] for scan in shown["scans"]] == ["In Transit"]
    assert shown["actions"] is None
    assert [call["outcome"] for call in shown["calls"]] == ["rejected"]
    assert "9123456780" not in answer.content.decode()
    every = storefront.get(f"{url}?expand=actions&expand=scans,calls")
    assert [action["kind"] for action in every.json()["actions"]] == ["address"]
    assert "9123456780" not in every.content.decode()


def test_expanded_rows_are_the_newest_and_bounded(
    storefront: Client, shipment: Shipment, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("couriers.api.expansion.MOST", {"scans": 2, "actions": 1, "calls": 1})
    for day in ("27", "25", "26"):
        Scan.objects.create(shipment=shipment, at=f"2026-11-{day}T10:00:00Z", courier_status=day)
    scans = storefront.get(f"{url}?expand=scans").json()["scans"]
    assert [scan["courier_status"] for scan in scans] == ["26", "27"]


@pytest.mark.parametrize(
    "words", ["labels", "scans,", "scans,labels", ",", "Scans", "scans, calls"]
)
def test_an_unknown_word_is_refused(storefront: Client, url: str, words: str) -> None:
    answer = storefront.get(url, {"expand": words})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "expand")


def test_metadata_is_changed_at_any_time(storefront: Client, shipment: Shipment, url: str) -> None:
    set_status(shipment, "delivered", metadata={"cart": "c-1", "old": "x"})
    answer = patch(storefront, url, {"metadata": {"cart": "c-2", "old": None, "new": ""}})
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"cart": "c-2", "new": ""})
    assert answer["ETag"] == storefront.get(url)["ETag"]
    entry = AuditEntry.objects.get(action="change")
    assert entry.details == {"changed": ["metadata.cart", "metadata.new", "metadata.old"]}
    assert entry.shipment_id == shipment.pk


def test_the_email_is_changed_and_removed(storefront: Client, url: str) -> None:
    def email(value: str) -> Any:
        return patch(storefront, url, {"consignee": {"email": value}})

    assert email("ravi@shop.example").json()["consignee"]["email"] == "ravi@shop.example"
    assert email("ravi").json()["errors"][0]["field"] == "consignee.email"
    assert email("").json()["consignee"]["email"] == ""
    assert "ravi" not in str(list(AuditEntry.objects.values_list("details", flat=True)))


def test_a_change_of_nothing_changes_nothing(
    storefront: Client, shipment: Shipment, url: str
) -> None:
    before = Shipment.objects.get(pk=shipment.pk).updated_at
    for body in ({}, {"metadata": {}}, {"consignee": {}}, {"metadata": {"gone": None}}):
        assert patch(storefront, url, body).status_code == 200
    assert Shipment.objects.get(pk=shipment.pk).updated_at == before
    assert not AuditEntry.objects.filter(action="change").exists()


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"consignee": {"phone": "9876543211"}}, "consignee.phone", "/address/"),
        ({"consignee": {"landmark": "x"}}, "consignee.landmark", "/address/"),
        ({"consignee": {"pincode": "560001"}}, "consignee.pincode", "/cancel/"),
        ({"status": "delivered"}, "status", "actions_allowed"),
        ({"cod_amount": "1.00"}, "cod_amount", "/cancel/"),
        ({"surprise": 1}, "surprise", "is not a field"),
        ({"metadata": {"k" * 41: "x"}}, "metadata." + "k" * 40, "1 to 40"),
        ({"metadata": {"cart": 1}}, "metadata.cart", "must be a text"),
        ({"metadata": None}, "metadata", "null"),
    ],
)
def test_what_belongs_to_an_action_names_its_path(
    storefront: Client, url: str, body: Any, field: str, said: str
) -> None:
    answer = patch(storefront, url, body)
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert problem["field"] == field
    assert said in problem["message"]


def test_metadata_stays_within_its_bound(storefront: Client, shipment: Shipment, url: str) -> None:
    set_status(shipment, "booked", metadata={f"k{n}": "x" for n in range(50)})
    answer = patch(storefront, url, {"metadata": {"one": "more"}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "metadata")
    assert patch(storefront, url, {"metadata": {"one": "more", "k1": None}}).status_code == 200


def test_a_change_of_what_has_changed_since_is_not_made(
    storefront: Client, shipment: Shipment, url: str
) -> None:
    tag = storefront.get(url)["ETag"]
    first = patch(storefront, url, {"metadata": {"a": "1"}}, **{"If-Match": f"W/{tag}"})
    assert first.status_code == 200
    second = patch(storefront, url, {"metadata": {"a": "2"}}, **{"If-Match": tag})
    assert (second.status_code, second.json()["type"]) == (412, "/problems/precondition-failed")
    assert storefront.get(url).json()["metadata"] == {"a": "1"}
    again = patch(storefront, url, {"metadata": {"a": "2"}}, **{"If-Match": first["ETag"]})
    assert again.status_code == 200


def test_an_erased_shipment_takes_nothing_new(
    storefront: Client, shipment: Shipment, url: str
) -> None:
    erase_locked([shipment.pk])
    answer = patch(storefront, url, {"metadata": {"a": "1"}})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/shipment-erased")


def test_another_company_changes_nothing(shipment: Shipment, url: str) -> None:
    other = Client(headers={"Authorization": f"Api-Key {make_api_key(CompanyFactory())}"})
    assert patch(other, url, {"metadata": {"a": "1"}}).status_code == 404
    assert other.get(f"{url}?expand=calls").status_code == 404
