"""Courier rules in the admin: the form says what a rule cannot be, and what is odd about it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.models import AuditEntry, Company, CourierAccount, CourierRule, Shipment
from tests.support.admin_links import list_url, row_url
from tests.support.choices import booking_courier, rule
from tests.support.drafts import draft_with
from tests.support.factories import CompanyFactory, ShipmentFactory, make_staff
from tests.support.work import hold_to

ADD = "admin:shipcrowd_couriers_courierrule_add"


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op", password="op"))
    return client


def typed(company: Company, **change: Any) -> dict[str, Any]:
    return {
        "company": company.pk, "name": "Light", "is_enabled": "on", "strategy": "weights",
        "payment_modes": ["cod"], "zones": ["local", "metro"], "max_weight_g": "500",
        "min_value": "100.5", "pincodes": "5600, 411\n110001", "states": [], "skus": "",
        "services": "", "courier_lines": "toy 3 AIR\n\n", "fail_over": "on",
    } | change  # fmt: skip


@pytest.mark.django_db
def test_a_rule_is_typed_shown_and_changed(
    operator: Client, company: Company, account: CourierAccount
) -> None:
    answer = operator.post(reverse(ADD), typed(company))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = CourierRule.objects.get()
    assert made.conditions == {
        "payment_modes": ["cod"], "zones": ["local", "metro"], "max_weight_g": 500,
        "min_value": "100.50", "pincodes": ["5600", "411", "110001"],
    }  # fmt: skip
    assert made.couriers == [{"courier": "toy", "service": "AIR", "weight": 3}]
    assert (made.position, made.fail_over, made.book_after_doubt) == (1, True, False)
    shown = operator.get(row_url(made)).context["adminform"].form
    assert shown.initial["courier_lines"] == "toy 3 AIR"
    assert shown.initial["pincodes"] == "5600\n411\n110001"
    operator.post(row_url(made), typed(company, name="Heavy", max_weight_g=""))
    made.refresh_from_db()
    assert (made.name, made.conditions.get("max_weight_g")) == ("Heavy", None)
    done = AuditEntry.objects.filter(model="shipcrowd_couriers.courierrule").order_by("id")
    assert [(one.action, one.actor_name) for one in done] == [("add", "op"), ("change", "op")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"courier_lines": "nobody"}, "courier_lines", "not a courier of this platform"),
        ({"courier_lines": ""}, "courier_lines", "must name the couriers"),
        ({"min_weight_g": "501"}, "min_weight_g", "is more than max_weight_g"),
        ({"pincodes": "5x"}, "pincodes", "is no pincode"),
        ({"states": ["Kerala"]}, "pincodes", "none of them lies"),
        ({"fail_over": "", "book_after_doubt": "on"}, "book_after_doubt", "needs fail-over"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_at_its_field(
    operator: Client, company: Company, account: CourierAccount,
    change: dict[str, Any], field: str, message: str,
) -> None:  # fmt: skip
    answer = operator.post(reverse(ADD), typed(company, **change))
    assert message in str(answer.context["adminform"].form.errors[field])
    assert not CourierRule.objects.exists()


@pytest.mark.django_db
def test_a_rule_behind_one_that_takes_all_its_orders_is_said_to_be_shadowed(
    operator: Client, company: Company, account: CourierAccount
) -> None:
    rule(company, "toy", name="All")
    answer = operator.post(reverse(ADD), typed(company), follow=True)
    said = [str(one) for one in answer.context["messages"]]
    assert any("is never reached: 'All' before it" in one for one in said)
    operator.post(row_url(CourierRule.objects.get(name="Light")), typed(company, position="1"))
    assert list(CourierRule.objects.values_list("name", "position")) == [("Light", 1), ("All", 2)]
    moved = AuditEntry.objects.get(action="reorder_rules")
    assert (moved.before, moved.after) == ({"rules": ["All", "Light"]}, {"rules": ["Light", "All"]})


@pytest.mark.django_db
def test_who_may_not_change_a_rule_reads_all_that_it_says(
    company: Company, account: CourierAccount
) -> None:
    made = rule(
        company, couriers=[{"courier": "toy", "weight": 3, "service": "AIR"}], strategy="weights",
        conditions={"zones": ["metro"], "max_weight_g": 500, "pincodes": ["5600", "411"]},
    )  # fmt: skip
    reader = Client()
    reader.force_login(make_staff("view_courierrule", username="reader"))
    page = " ".join(re.sub(r"<[^>]+>", " ", reader.get(row_url(made)).content.decode()).split())
    for text in (
        "Couriers toy 3 AIR", "Zones Between metro cities", "Weight to (grams) 500",
        "Pincodes 5600, 411", "SKUs any", "Payment any",
    ):  # fmt: skip
        assert text in page


@pytest.mark.django_db
def test_deleted_rules_are_recorded_and_the_others_move_up(
    operator: Client, company: Company, account: CourierAccount
) -> None:
    first, _ = rule(company, "toy", name="One"), rule(company, "toy", name="Two")
    operator.post(row_url(first).replace("change", "delete"), {"post": "yes"})
    assert list(CourierRule.objects.values_list("name", "position")) == [("Two", 1)]
    assert AuditEntry.objects.filter(action="delete", object_text="One").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_shipment_says_why_it_has_its_courier(
    operator: Client, company: Company
) -> None:
    with booking_courier(company, "one"), booking_courier(company, "two", lambda _: []):
        rule(company, "two", "one", name="Karnataka", strategy="cheapest")
        shipment = book(company, draft_with(courier="auto")).shipment
        page = operator.get(row_url(shipment)).content.decode()
    assert "Why this courier" in page
    assert "rule Karnataka: the cheapest; candidates one; without two" in page


@pytest.mark.django_db
def test_the_simulation_shows_a_table_and_a_chart_and_costs_to_whom_may_see_them(
    operator: Client, company: Company, account: CourierAccount
) -> None:
    rule(company, "toy", name="Toy first")
    ShipmentFactory(account=account, booked_at=timezone.now(), price_booked={"total": "80.00"})
    url = reverse("admin:shipcrowd_couriers_courierrule_simulate")
    blank = operator.get(url)
    assert "simulation" not in blank.context
    found = operator.get(url, {"company": company.pk})
    page = found.content.decode()
    assert found.context["rows"][0][1] == [1]
    assert "Toy first" in page
    assert 'class="chart"' in page
    assert "80.00" in page
    support = Client()
    support.force_login(make_staff("view_courierrule", username="support"))
    assert "80.00" not in support.get(url, {"company": company.pk}).content.decode()
    nobody = Client()
    nobody.force_login(make_staff("view_shipment", username="nobody"))
    assert nobody.get(url).status_code == 403


def move(client: Client, which: CourierRule, way: str) -> Any:
    return client.post(row_url(which, f"move/{way}"))


@pytest.mark.django_db
def test_a_rule_is_moved_up_and_down_by_its_buttons_and_recorded(
    operator: Client, company: Company, account: CourierAccount
) -> None:
    one, two = rule(company, "toy", name="One"), rule(company, "toy", name="Two")
    page = operator.get(list_url(CourierRule)).content.decode()
    assert f'formaction="{row_url(two, "move/up")}"' in page
    assert move(operator, two, "up").status_code == 302
    assert list(CourierRule.objects.values_list("name", "position")) == [("Two", 1), ("One", 2)]
    move(operator, two, "up")
    move(operator, two, "down")
    move(operator, two, "down")
    assert list(CourierRule.objects.values_list("name", "position")) == [("One", 1), ("Two", 2)]
    rows = AuditEntry.objects.order_by("id").values_list("action", "actor_name", "after")
    assert list(rows) == [
        ("reorder_rules", "op", {"rules": ["Two", "One"]}),
        ("reorder_rules", "op", {"rules": ["One", "Two"]}),
    ]
    assert operator.get(row_url(one, "move/up")).status_code == 405
    assert move(operator, one, "sideways").status_code == 404


@pytest.mark.django_db
def test_who_may_not_change_a_rule_has_no_buttons_and_moves_none(
    company: Company, account: CourierAccount
) -> None:
    rule(company, "toy", name="One")
    two = rule(company, "toy", name="Two")
    reader = Client()
    user = make_staff("view_courierrule", username="reader")
    reader.force_login(user)
    assert "move/up" not in reader.get(list_url(CourierRule)).content.decode()
    assert move(reader, two, "up").status_code == 403
    assert AuditEntry.objects.get().action == "refused"
    held = Client()
    clerk = make_staff("view_courierrule", "change_courierrule", username="clerk")
    hold_to(clerk, CompanyFactory())
    held.force_login(clerk)
    assert move(held, two, "up").status_code == 404
    two.refresh_from_db()
    assert two.position == 2


ORDER = {"pincode": "411004", "payment_mode": "prepaid", "value": "500", "weight_g": "400",
         "order_number": "TRY-1"}  # fmt: skip
TRY = "admin:shipcrowd_try_order"


@pytest.mark.django_db(transaction=True)
def test_an_order_is_tried_and_the_page_says_which_courier_it_would_get_and_why(
    operator: Client, company: Company
) -> None:
    with booking_courier(company, "one", "90"), booking_courier(company, "two", lambda _: []):
        rule(company, "two", "one", name="Light", strategy="cheapest",
             conditions={"max_weight_g": 500})  # fmt: skip
        found = operator.post(reverse(TRY), ORDER | {"company": company.pk})
        page = " ".join(re.sub(r"<[^>]+>", " ", found.content.decode()).split())
        choice = found.context["choice"]
        assert (choice.rule_name, [one.courier for one in choice.candidates]) == ("Light", ["one"])
        assert "one would be asked first" in page
        assert "The rule Light holds (strategy: the cheapest)." in page
        assert "90.00" in page
        assert "Passed over two:" in page
        heavy = operator.post(reverse(TRY), ORDER | {"company": company.pk, "weight_g": "900"})
        assert "No rule holds" in heavy.content.decode()
        wrong = operator.post(reverse(TRY), ORDER | {"company": company.pk, "pincode": "000000"})
        assert wrong.context["form"].errors["pincode"]
        assert "choice" not in wrong.context
    refused = operator.post(reverse(TRY), ORDER | {"company": company.pk})
    assert refused.context["form"].non_field_errors()
    assert not Shipment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_is_tried_by_those_alone_who_may_have_couriers_asked(
    company: Company, account: CourierAccount
) -> None:
    rule(company, "toy", name="Toy first")
    may, may_not = Client(), Client()
    may.force_login(make_staff("view_courierrule", "act_on_shipment", username="may"))
    may_not.force_login(make_staff("view_courierrule", username="may-not"))
    found = may.post(reverse(TRY), ORDER | {"company": company.pk})
    assert found.context["choice"].rule_name == "Toy first"
    assert "Price" not in found.content.decode()
    assert "Try an order" in may.get(list_url(CourierRule)).content.decode()
    assert "Try an order" not in may_not.get(list_url(CourierRule)).content.decode()
    assert may_not.post(reverse(TRY), ORDER | {"company": company.pk}).status_code == 403
    assert AuditEntry.objects.get(action="refused").actor_name == "may-not"
