"""Lists as CSV: as they are filtered, of the user's companies, masked, bounded and recorded."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from couriers.admin.base import PageAdmin
from couriers.models import AuditEntry, Shipment, StaffScope
from tests.support.admin_links import hrefs, list_url
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import SECRETS, make_everything
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_staff
from tests.support.parcels import make_shipments

LIST = list_url(Shipment)
URL = f"{LIST}export/"


def log_in(client: Client, *permissions: str, username: str = "finance") -> Any:
    user = make_staff("view_shipment", *permissions, username=username)
    client.force_login(user)
    return user


def rows_of(client: Client, url: str = URL) -> list[dict[str, str]]:
    """The rows of an export, by the headings of its columns."""
    answer = client.post(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    content = answer.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_list_is_exported_as_it_is_filtered_and_recorded(client: Client, account: Any) -> None:
    user = log_in(client, "export_rows")
    make_shipments(account, 3)
    make_shipments(account, 1, status="lost", consignee_city="Agra")
    (url,) = [
        one for one in hrefs(client.get(LIST, {"status__exact": "lost", "p": "1"}))
        if "/export/" in one
    ]  # fmt: skip
    page = client.get(url)
    assert "The file has 1 row of the list, as it is filtered" in page.content.decode()
    assert not AuditEntry.objects.exists()
    (row,) = rows_of(client, url)
    assert (row["Status"], row["Consignee city"]) == ("Lost", "Agra")
    assert row["Courier"] == "Toy"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (user, "export_list")
    assert entry.details == {"list": "shipments", "filters": {"status__exact": "lost"}, "rows": 1}


def test_phones_addresses_and_amounts_need_their_permissions(client: Client, account: Any) -> None:
    make_shipments(account, 1)
    log_in(client, "export_rows")
    (masked,) = rows_of(client)
    assert masked["Phone"] == "•••••••210"
    assert "9, Secret Lane" not in str(masked)
    assert not any("amount" in heading.lower() for heading in masked)
    log_in(client, "export_rows", "view_consignee", "view_amounts", username="manager")
    (row,) = rows_of(client)
    assert (row["Phone"], row["Address"]) == ("9876543210", "9, Secret Lane")
    assert (row["Total amount"], row["COD amount"]) == ("112.00", "0.00")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(client: Client, account: Any, text: str) -> None:
    log_in(client, "export_rows")
    make_shipments(account, 1, consignee_name=text)
    (row,) = rows_of(client)
    assert row["Consignee"] == f"'{text}"


def test_a_searched_phone_is_not_recorded(client: Client, account: Any) -> None:
    log_in(client, "export_rows")
    make_shipments(account, 2)
    assert len(rows_of(client, f"{URL}?q=9876543210")) == 2
    assert "9876543210" not in str(AuditEntry.objects.get().details)


def test_rows_of_other_companies_are_not_exported(client: Client, account: Any) -> None:
    user = log_in(client, "export_rows")
    (own,) = make_shipments(account, 1)
    other = CourierAccountFactory(courier=account.courier)
    WarehouseFactory(company=other.company)
    make_shipments(other, 2)
    StaffScope.objects.create(user=user).companies.add(account.company)
    (row,) = rows_of(client)
    assert row["Order number"] == Shipment.objects.get(pk=own).order_number


def test_exporting_needs_the_permission(client: Client, account: Any) -> None:
    make_shipments(account, 1)
    log_in(client)
    assert not [url for url in hrefs(client.get(LIST)) if "/export/" in url]
    assert client.get(URL).status_code == 403
    assert client.post(URL).status_code == 403
    client.force_login(make_staff("export_rows", username="no-viewer"))
    assert client.post(URL).status_code == 403
    assert not AuditEntry.objects.exclude(action="refused").exists()


def test_more_rows_than_the_limit_are_refused_in_words(
    client: Client, account: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"EXPORT_MAX_ROWS": 3}
    log_in(client, "export_rows")
    make_shipments(account, 3)
    assert len(rows_of(client)) == 3
    make_shipments(account, 1)
    for answer in (client.get(URL), client.post(URL)):
        assert "more than 3 rows" in answer.content.decode()
    assert AuditEntry.objects.count() == 1


def test_rows_are_read_in_pages_and_each_is_there_once(client: Client, account: Any) -> None:
    log_in(client, "export_rows")
    make_shipments(account, 1201)
    with CaptureQueriesContext(connection) as queries:
        rows = rows_of(client)
    assert len({row["Order number"] for row in rows}) == len(rows) == 1201
    pages = [one for one in queries if " LIMIT 500" in one["sql"]]
    assert len(pages) == 3


def test_no_export_of_any_list_has_a_secret(client: Client, account: Any, db: None) -> None:
    make_everything(account)
    secrets = [*SECRETS.values(), "token-is-secret", "link-is-secret", "9876543210", "Secret Lane"]
    registered = [admin.site._registry.get(model) for model in models_of_the_apps()]
    pages = [page for page in registered if isinstance(page, PageAdmin)]
    names = [f"view_{page.opts.model_name}" for page in pages]
    client.force_login(make_staff("export_rows", *names))
    assert len(pages) > 20
    for page in pages:
        answer = client.post(f"{list_url(page.model)}export/")
        assert answer.status_code == 200, page
        text = answer.getvalue().decode()
        assert text.count("\r\n") >= 2, page
        assert not [secret for secret in secrets if secret in text], page
