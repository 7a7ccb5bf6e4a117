"""An order without a courier gets the one that the company's rules choose, and keeps why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.booking import bulk_jobs
from couriers.booking.protocol import book
from couriers.booking.spreadsheet import template_text
from couriers.contract.platform_errors import KeyReused, OrderDiffers
from couriers.contract.statuses import Status
from couriers.models import Company, CourierRule, IdempotencyKey, Shipment
from tests.support.api import post_json, post_shipment, set_status
from tests.support.choices import booking_courier, rule
from tests.support.commands import run_json
from tests.support.drafts import draft_with

ONE = {"courier": "one"}
AUTO = draft_with(courier="auto")


@pytest.mark.django_db(transaction=True)
def test_without_rules_the_cheapest_courier_books_and_the_shipment_says_why(
    company: Company,
) -> None:
    with booking_courier(company, "dear", "90"), booking_courier(company, "cheap", "60", days=5):
        result = book(company, AUTO)
    shipment = Shipment.objects.get(pk=result.shipment.pk)
    assert (shipment.courier_id, shipment.service) == ("cheap", "STANDARD")
    assert shipment.choice == {
        "rule": None, "rule_name": "", "strategy": "cheapest", "fail_over": True,
        "after_doubt": False, "passed_over": [],
        "candidates": [
            {"courier": "cheap", "service": "STANDARD", "price": "60.00", "days": 5},
            {"courier": "dear", "service": "STANDARD", "price": "90.00", "days": 3},
        ],
    }  # fmt: skip
    assert shipment.price_quoted is not None
    assert shipment.price_quoted["total"] == "60.00"


@pytest.mark.django_db(transaction=True)
def test_a_courier_left_out_is_the_same_order_as_auto(company: Company) -> None:
    with booking_courier(company, "one"):
        first = book(company, draft_with(courier=""))
        again = book(company, AUTO)
    assert again.replayed
    assert (again.shipment.pk, again.body) == (first.shipment.pk, first.body)


@pytest.mark.django_db(transaction=True)
def test_a_replay_answers_the_same_after_the_rules_have_changed(company: Company) -> None:
    with booking_courier(company, "one"), booking_courier(company, "two"):
        made = rule(company, "one", "two")
        first = book(company, AUTO, key="k")
        CourierRule.objects.filter(pk=made.pk).update(couriers=[{"courier": "two"}])
        again = book(company, AUTO, key="k")
        with pytest.raises(KeyReused) as other:
            book(company, draft_with(courier="two"), key="k")
        without_key = book(company, AUTO)
        with pytest.raises(OrderDiffers):
            book(company, draft_with(courier="two"))
    assert first.shipment.courier_id == "one"
    assert again.body == without_key.body == first.body
    assert other.value.fields == ("courier",)
    assert Shipment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_order_is_the_same_once_its_key_has_been_deleted(company: Company) -> None:
    with booking_courier(company, "one"):
        first = book(company, AUTO)
        IdempotencyKey.objects.all().delete()
        again = book(company, AUTO)
    assert again.shipment.pk == first.shipment.pk


@pytest.mark.django_db(transaction=True)
def test_the_api_books_an_order_without_courier_and_shows_why(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    del order["courier"]
    with booking_courier(company, "one"), booking_courier(company, "two"):
        made = rule(company, "two", "one", name="Two first")
        first = post_shipment(storefront, order)
        again = post_shipment(storefront, order | {"courier": "auto"})
    told = first.json()
    assert (first.status_code, told["courier"]) == (201, "two")
    assert (told["choice"]["rule"], told["choice"]["rule_name"]) == (made.pk, "Two first")
    assert [one["courier"] for one in told["choice"]["candidates"]] == ["two", "one"]
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert storefront.get(f"/api/v1/shipments/{told['id']}/").json()["choice"] == told["choice"]


@pytest.mark.django_db(transaction=True)
def test_an_order_that_names_its_courier_has_no_choice(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    with booking_courier(company, "one"):
        assert post_shipment(storefront, order | {"courier": "one"}).json()["choice"] is None


@pytest.mark.django_db(transaction=True)
def test_no_courier_for_an_order_is_a_problem_of_the_field_courier(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    with booking_courier(company, "one", lambda _: []):
        answer = post_shipment(storefront, order | {"courier": "auto"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {
            "field": "courier",
            "message": "one cannot take the order: no service is offered on the lane",
        }
    ]
    assert not Shipment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_return_goes_with_the_same_courier_or_by_the_rules(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    with booking_courier(company, "one"), booking_courier(company, "two"):
        rule(company, "two", conditions={"directions": ["reverse"]})
        url = f"/api/v1/shipments/{post_shipment(storefront, order | ONE).json()['id']}/return/"
        set_status(Shipment.objects.get(), Status.DELIVERED)
        body = {"return_reason": "too small", "items": [{"line": 0, "quantity": 1}]}
        same = post_json(storefront, url, body | {"order_number": "A-1-R1"}).json()
        set_status(Shipment.objects.get(pk=same["id"]), Status.CANCELLED)
        by_rule = post_json(
            storefront, url, body | {"order_number": "A-1-R2", "courier": "auto"}
        ).json()
    assert (same["courier"], same["choice"]) == ("one", None)
    assert (by_rule["courier"], by_rule["choice"]["strategy"]) == ("two", "priority")


@pytest.mark.django_db(transaction=True)
def test_a_file_is_booked_by_the_rules_and_a_row_names_its_own_courier(
    company: Company, tmp_path: Path
) -> None:
    lines = template_text().replace("# A-1", "A-1").splitlines()
    own = lines[1].replace("A-1", "A-2", 1) + "one"
    odd = lines[1].replace("A-1", "A-3", 1) + "nobody"
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([*lines, own, odd]))
    with booking_courier(company, "one"), booking_courier(company, "two"):
        rule(company, "two", conditions={"payment_modes": ["cod"]})
        command = ("book_orders", str(path), "--company", company.slug, "--courier", "auto")
        told, again = run_json(*command), run_json(*command)
    assert dict(Shipment.objects.values_list("order_number", "courier_id")) == {
        "A-1": "two",
        "A-2": "one",
    }
    assert (told["booked"], told["rejected"]) == (2, 1)
    assert (again["already_booked"], again["rejected"]) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_bulk_requests_are_booked_by_the_rules(
    company: Company, storefront: Client, order: dict[str, Any]
) -> None:
    del order["courier"]
    text = template_text().replace("# A-1", "A-5")
    with booking_courier(company, "one"), booking_courier(company, "two"):
        rule(company, "two")
        for body, kind in ((json.dumps({"orders": [order]}), "json"), (text, "text/csv")):
            made = storefront.post(
                "/api/v1/shipments/bulk/",
                body,
                content_type="application/json" if kind == "json" else kind,
            )
            assert made.status_code == 202, made.content
            while bulk_jobs.book_due_orders(made.json()["id"], seconds=9) is not None:
                pass
    assert dict(Shipment.objects.values_list("order_number", "courier_id")) == {
        "A-1": "two",
        "A-5": "two",
    }
