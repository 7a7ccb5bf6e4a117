"""A company's page shows what belongs to it, to whom it may be shown."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from couriers.models import CallbackTally, Company, StaffScope, WarehouseRegistration
from couriers.operations.account_checks import check_login
from tests.support.admin_links import hrefs, row_url
from tests.support.choices import rule
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    ShipmentFactory,
    make_api_key,
    make_staff,
)

EMPTY = {
    "Accounts": "No account yet: add one.",
    "To do for the accounts": "Nothing is left to do.",
    "Warehouses": "No warehouse yet: add one.",
    "Courier rules": "No rule yet: the cheapest courier is chosen.",
    "API keys": "No key yet: the storefront cannot call the API.",
    "Products": "No product yet.",
    "Latest shipments": "No shipment yet.",
    "Members of staff held to it": "Nobody is held to it",
}


def blocks(client: Client, company: Company) -> dict[str, str]:
    """The blocks of the page by their titles, as a reader sees them."""
    page = client.get(row_url(company)).content.decode()
    found = re.findall(r'<section aria-labelledby="block-.*?</section>', page, re.DOTALL)
    texts = [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]
    return {title: text for title in EMPTY for text in texts if text.startswith(title)}


def test_an_empty_block_says_what_is_missing_and_leads_to_adding_it(
    client: Client, db: None
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    company = CompanyFactory()
    found = blocks(client, company)
    assert list(found) == list(EMPTY)
    for title, text in EMPTY.items():
        assert text in found[title]
    links = hrefs(client.get(row_url(company)))
    for model in ("courieraccount", "warehouse", "courierrule", "companyapikey", "product"):
        add = f"/admin/shipcrowd_couriers/{model}/add/?company={company.pk}"
        assert add in links
        assert client.get(add).status_code == 200


def test_each_block_shows_what_is_so(client: Client, account: Any) -> None:
    client.force_login(User.objects.create_superuser("root"))
    company, warehouse = account.company, account.company.warehouses.get()
    check_login(account, None)
    CallbackTally.objects.create(account=account, refused_at=timezone.now(), refused_count=70)
    WarehouseRegistration.objects.create(account=account, warehouse=warehouse, state="failed")
    make_api_key(company)
    rule(company, "toy", name="Toy first")
    shipment = ShipmentFactory(account=account, warehouse=warehouse)
    StaffScope.objects.create(user=make_staff(username="asha")).companies.add(company)
    other = ShipmentFactory()
    found = blocks(client, company)
    assert "Toy Cannot be tested, " in found["Accounts"]
    assert "Refused: 70 None stored Made All orders Guided start" in found["Accounts"]
    assert "Toy Callbacks Toy has no call for it. Ask Toy" in (found["To do for the accounts"])
    assert f"{warehouse.name} Bengaluru, 560001 Default Toy: failed" in found["Warehouses"]
    assert "1 Toy first The first that can toy" in found["Courier rules"]
    assert "read, book, operate Never used Revoke" in found["API keys"]
    assert f"{shipment.order_number} Booked Toy {shipment.tracking_id}" in found["Latest shipments"]
    assert found["Latest shipments"].count("Booked") == 1
    assert found["Members of staff held to it"].endswith("asha")
    links = hrefs(client.get(row_url(company)))
    (listed,) = [url for url in links if f"/shipment/?company__id__exact={company.pk}" in url]
    shown = client.get(listed).content.decode()
    assert (shipment.order_number in shown, other.order_number in shown) == (True, False)


def test_a_block_is_shown_to_whom_its_rows_may_be_shown(client: Client, account: Any) -> None:
    client.force_login(make_staff("view_company", "view_warehouse"))
    assert list(blocks(client, account.company)) == ["Warehouses"]
    page = client.get(row_url(account.company)).content.decode()
    assert "Add a warehouse" not in page
    assert "Guided start" not in page


def test_it_takes_a_few_statements_however_much_there_is(
    client: Client, account: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for _ in range(12):
        ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
        make_api_key(account.company)
    CourierAccountFactory(company=account.company)
    with django_assert_max_num_queries(26):
        client.get(row_url(account.company))
