"""The command palette: shipments and pages from anywhere, for what the user may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from couriers.models import Shipment, StaffScope
from tests.support.admin_links import hrefs, list_url, row_url
from tests.support.factories import CompanyFactory, make_staff
from tests.support.parcels import make_shipments


def palette(client: Client, text: str) -> Any:
    return client.get(reverse("admin:search"), {"s": text, "extended": "1"})


@pytest.mark.parametrize("text", ["ORD", "TRK", "+91 98765 43210", "asha s"])
def test_a_shipment_is_found_from_anywhere(client: Client, shipment: Shipment, text: str) -> None:
    client.force_login(make_staff("view_shipment"))
    typed = {"ORD": shipment.order_number, "TRK": shipment.tracking_id}.get(text, text)
    answer = palette(client, typed)
    assert hrefs(answer) == [row_url(shipment)]
    assert "9876543210" not in answer.content.decode()


def test_what_is_found_is_kept_nowhere(client: Client, shipment: Shipment) -> None:
    user = make_staff("view_shipment")
    client.force_login(user)
    assert row_url(shipment) in hrefs(palette(client, shipment.order_number))
    assert not [key for key in cache.keys("*") if "search" in key]
    StaffScope.objects.create(user=user).companies.add(CompanyFactory())
    assert row_url(shipment) not in hrefs(palette(client, shipment.order_number))


def test_what_is_not_found_is_said(client: Client, shipment: Shipment) -> None:
    client.force_login(make_staff("view_shipment"))
    assert "No shipment that you may see has this" in palette(client, "NOTHING").content.decode()
    assert palette(client, " ").content == b""


def test_pages_are_found_by_their_names(client: Client, shipment: Shipment) -> None:
    client.force_login(make_staff("view_shipment", "view_scan"))
    assert hrefs(palette(client, "scan"))[0].endswith("/scan/")


def test_shipments_need_the_permission(client: Client, shipment: Shipment) -> None:
    client.force_login(make_staff("view_scan"))
    assert row_url(shipment) not in hrefs(palette(client, shipment.order_number))
    client.logout()
    assert palette(client, shipment.order_number).status_code == 302


def test_of_many_the_list_has_all(client: Client, account: Any) -> None:
    client.force_login(make_staff("view_shipment"))
    make_shipments(account, 25, consignee_name="Ravi Kumar", consignee_phone="9876501234")
    assert f"{list_url(Shipment)}?q=ravi" in hrefs(palette(client, "ravi"))
    assert "98765" not in palette(client, "9876501234").content.decode()
