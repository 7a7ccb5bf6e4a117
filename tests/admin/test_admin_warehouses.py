"""A company always keeps its default warehouse, also in the admin."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from couriers.models import Warehouse
from tests.support.factories import WarehouseFactory

LIST = reverse("admin:shipcrowd_couriers_warehouse_changelist")


def page_of(client: Client, warehouse: Warehouse) -> str:
    """The page of a warehouse, by the link in the list."""
    links = re.findall(
        r'href="([^"]*/warehouse/[^"/]+/change/)[^"]*"', client.get(LIST).content.decode()
    )
    shown = {link: client.get(link) for link in dict.fromkeys(links)}
    return next(
        link for link, page in shown.items()
        if page.context["original"].pk == warehouse.pk
    )  # fmt: skip


def form_of(client: Client, url: str, **changes: Any) -> dict[str, Any]:
    """The data that the page's form has, with changes. A value of None leaves a field out."""
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields} | changes
    return {name: value for name, value in data.items() if value not in (None, False)}


def test_the_default_is_replaced_but_not_undone(admin_client: Client, company: Any) -> None:
    default = company.warehouses.get()
    other = WarehouseFactory(company=company, is_default=False)
    url = page_of(admin_client, default)
    answer = admin_client.post(url, form_of(admin_client, url, is_default=None))
    assert "make another warehouse the default instead" in answer.content.decode()
    url = page_of(admin_client, other)
    answer = admin_client.post(url, form_of(admin_client, url, is_default="on"))
    assert answer.status_code == 302, answer.context["errors"]
    assert company.warehouses.get(is_default=True) == other


def test_the_default_is_not_deleted(admin_client: Client, company: Any) -> None:
    default = company.warehouses.get()
    other = WarehouseFactory(company=company, is_default=False)
    for warehouse, status in ((default, 403), (other, 302)):
        url = page_of(admin_client, warehouse).replace("/change/", "/delete/")
        assert admin_client.post(url, {"post": "yes"}).status_code == status
    chosen = {"action": "delete_selected", "_selected_action": [default.pk], "post": "yes"}
    admin_client.post(LIST, chosen)
    assert company.warehouses.get() == default


def test_a_warehouse_stays_with_its_company(admin_client: Client, company: Any) -> None:
    page = admin_client.get(page_of(admin_client, company.warehouses.get()))
    assert "company" not in page.context["adminform"].form.fields
