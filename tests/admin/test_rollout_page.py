"""The page on which an operator changes which companies may book with a courier."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.booking.protocol import book
from couriers.contract.errors import CourierNotEnabled
from couriers.models import AuditEntry, Company, Courier
from tests.support.admin_links import buttons, hrefs, list_url, row_links, row_url
from tests.support.drafts import DRAFT, draft_with
from tests.support.factories import CompanyFactory, make_staff
from tests.support.rollouts import roll_out

VIEW = ("view_courier", "view_company", "view_auditentry")


@pytest.fixture
def operator(client: Client, db: None) -> Any:
    user = make_staff(*VIEW, "change_rollout")
    client.force_login(user)
    return user


def page_by_links(client: Client) -> str:
    """The path of the roll-out's page, as the links of the list and of the courier lead to it."""
    row = next(url for url in row_links(client, Courier) if "/toy/" in url)
    shown = client.get(buttons(client, row)["change-rollout"], follow=True)
    assert shown.status_code == 200
    return str(shown.redirect_chain[-1][0])


def inputs_of(client: Client, url: str) -> dict[str, str]:
    """What a browser would send if the form were sent as it is shown."""
    page = client.get(url).content.decode()
    form = page[page.index('<form method="post"') : page.index("Change the roll-out</button>")]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given["type"] != "radio" or " checked" in tag:
            found[given["name"]] = unescape(given.get("value", ""))
    found["companies"] = unescape(re.findall(r"<textarea[^>]*>\s*([^<]*)</textarea>", form)[0])
    return found


def send(client: Client, **typed: str) -> Any:
    url = page_by_links(client)
    return client.post(url, inputs_of(client, url) | {"reason": "first day"} | typed)


def test_an_operator_names_companies_then_a_percentage_then_nought(
    client: Client, operator: Any, account: Any
) -> None:
    slug = account.company.slug
    other = CompanyFactory()
    assert send(client, rollout="companies", companies=f"{other.slug}\n").status_code == 302
    with pytest.raises(CourierNotEnabled):
        book(account.company, DRAFT)
    both = f"{other.slug}\r\n{slug}"
    assert send(client, rollout="companies", companies=both).status_code == 302
    assert book(account.company, DRAFT).status_code == 201
    assert send(client, rollout="percentage", percentage="5").status_code == 302
    courier = Courier.objects.get()
    assert (courier.rollout, courier.rollout_percentage) == ("percentage", 5)
    assert set(courier.rollout_companies.all()) == {account.company, other}
    assert send(client, percentage="0").status_code == 302
    with pytest.raises(CourierNotEnabled):
        book(account.company, draft_with(order_number="A-2"))
    assert AuditEntry.objects.count() == 4


def test_the_audit_log_has_who_when_why_before_and_after(
    client: Client, operator: Any, account: Any
) -> None:
    slug = account.company.slug
    send(client, rollout="companies", companies=slug, reason="the first of two")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason) == (
        operator, "change_rollout", "the first of two",
    )  # fmt: skip
    assert (entry.courier_id, entry.company, entry.shipment) == ("toy", None, None)
    assert entry.at is not None
    assert entry.details == {
        "before": {"rollout": "all", "percentage": 0, "companies": []},
        "after": {"rollout": "companies", "percentage": 0, "companies": [slug]},
    }
    shown = client.get(row_url(Courier.objects.get())).content.decode()
    assert "the first of two" in shown
    log = client.get(list_url(AuditEntry)).content.decode()
    assert "the first of two" in log
    assert "change_rollout" in log


def test_the_same_again_writes_nothing(client: Client, operator: Any, account: Any) -> None:
    send(client, rollout="off")
    answer = client.post(
        page_by_links(client), inputs_of(client, page_by_links(client)) | {"reason": "x"},
        follow=True,
    )  # fmt: skip
    assert "Unchanged: Toy takes new bookings of no company." in answer.content.decode()
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"rollout": "companies", "companies": "nobody none"}, "no company has this slug"),
        ({"rollout": "companies", "companies": ""}, "name at least one, or choose no company"),
        ({"rollout": "percentage", "percentage": "101"}, "less than or equal to 100"),
        ({"rollout": "percentage", "percentage": "-1"}, "greater than or equal to 0"),
        ({"rollout": "percentage", "percentage": ""}, "is missing"),
        ({"rollout": "all", "percentage": "5"}, "is only for a percentage"),
        ({"rollout": "some"}, "Select a valid choice"),
        ({"rollout": "off", "reason": " "}, "This field is required"),
    ],
)
def test_what_cannot_be_is_an_error_of_its_field(
    client: Client, operator: Any, account: Any, typed: dict[str, str], words: str
) -> None:
    answer = send(client, **typed)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert Courier.objects.get().rollout == "all"
    assert not AuditEntry.objects.exists()


def test_a_change_by_somebody_else_meanwhile_is_not_overwritten(
    client: Client, operator: Any, account: Any
) -> None:
    roll_out("percentage", 10)
    url = page_by_links(client)
    stale = inputs_of(client, url) | {"percentage": "20", "reason": "next step"}
    roll_out("percentage", 0)
    answer = client.post(url, stale)
    assert "was changed by somebody else meanwhile" in answer.content.decode()
    assert Courier.objects.get().rollout_percentage == 0


def test_the_pages_of_courier_and_company_show_the_roll_out(
    client: Client, operator: Any, account: Any, other_courier: Any
) -> None:
    roll_out("companies", companies=[CompanyFactory(slug="acme").slug])
    courier = row_url(Courier.objects.get(pk="toy"))
    assert "the named companies: acme" in client.get(courier).content.decode()
    assert "the named companies: acme" in client.get(list_url(Courier)).content.decode()
    (company,) = (url for url in row_links(client, Company) if f"/{account.company_id}/" in url)
    shown = client.get(company)
    page = unescape(shown.content.decode())
    assert "may not book, since it is none of the named companies" in page
    assert ">Other toy</a>: may book<" in page
    assert courier in hrefs(shown)
    Courier.objects.filter(pk="toy").update(is_enabled=False)
    type(account).objects.filter(pk=account.pk).update(rollout="off")
    type(account).objects.exclude(pk=account.pk).update(rollout="canary", canary_percent=20)
    page = unescape(client.get(company).content.decode())
    assert (
        "may not book, since it is none of the named companies and all new bookings are switched "
        "off and its account is off"
    ) in page
    assert ">Other toy</a>: may book 20 per cent of its orders<" in page


def test_changing_needs_the_permission(client: Client, account: Any) -> None:
    watcher = make_staff(*VIEW, "change_courier", username="watcher")
    client.force_login(watcher)
    courier = Courier.objects.get()
    row = row_url(courier)
    assert buttons(client, row) == {}
    url = reverse("admin:shipcrowd_rollout", args=["toy"])
    refused = client.post(url, {"rollout": "off", "reason": "x", "seen": "{}"})
    assert refused.status_code == 403
    assert "You may not change which companies may book" in refused.content.decode()
    form = {"name": "Toy", "is_enabled": "on", "rollout": "off", "rollout_percentage": "0"}
    empty = {"audit-TOTAL_FORMS": "0", "audit-INITIAL_FORMS": "0"}
    assert client.post(row, form | empty).status_code == 302
    assert Courier.objects.get().rollout == "all"
    assert Client().get(url).headers["Location"].startswith("/admin/login/")
