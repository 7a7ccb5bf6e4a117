"""The search of shipments in the admin: its box, its page, and what it says is not there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from couriers.models import Shipment, StaffScope
from couriers.operations.finding import MAX_TERMS
from tests.support.admin_links import hrefs, list_url, row_url
from tests.support.factories import CompanyFactory, make_staff
from tests.support.parcels import make_shipments

LIST = list_url(Shipment)
PHONE = "+91 98765 01234"


@pytest.fixture
def find() -> str:
    return reverse("admin:shipcrowd_find")


@pytest.fixture
def parcels(client: Client, account: Any) -> list[Shipment]:
    """Three shipments, the first two of one phone; the user may see them, and nothing else."""
    client.force_login(make_staff("view_shipment"))
    make_shipments(account, 3, consignee_phone="9000000009", consignee_name="Ravi Kumar")
    found = list(Shipment.objects.order_by("order_number"))
    for one in found[:2]:
        one.consignee_phone = "9876501234"
        one.save()
    return found


def test_exactly_one_is_opened(client: Client, parcels: list[Shipment], find: str) -> None:
    one = parcels[2]
    for text in (one.order_number, one.tracking_id, "90000 00009"):
        answer = client.post(find, {"q": text, "from_list": "1"})
        assert answer.headers["Location"] == row_url(one), text
    assert client.get(LIST, {"q": one.order_number}).headers["Location"] == row_url(one)


def test_a_phone_stands_in_no_address_and_is_masked(
    client: Client, parcels: list[Shipment], find: str
) -> None:
    answer = client.post(find, {"q": PHONE, "from_list": "1"})
    assert answer.status_code == 200
    assert [url for url in hrefs(answer) if url.endswith("/change/")] == [
        row_url(one) for one in reversed(parcels[:2])
    ]
    text = answer.content.decode()
    assert "9876501234" not in text
    assert "•••••••234" in text
    assert "2 shipments" in text


def test_a_name_is_shown_in_the_list_with_its_filters(
    client: Client, parcels: list[Shipment], find: str
) -> None:
    form = {"q": "ravi", "from_list": "1", "status__exact": "booked", "p": "3"}
    answer = client.post(find, form)
    assert answer.headers["Location"] == f"{LIST}?q=ravi&status__exact=booked"
    page = client.get(answer.headers["Location"])
    assert len(page.context["cl"].result_list) == 3
    page = client.get(LIST, {"q": "ravi", "status__exact": "lost"})
    assert "3 shipments found, but the filters leave none" in page.content.decode()


def test_what_is_not_found_is_said(client: Client, parcels: list[Shipment], find: str) -> None:
    said = "No shipment that you may see has"
    for url in (f"{LIST}?q=NOBODY", f"{LIST}?q=ra"):
        text = client.get(url).content.decode()
        assert said in text
    assert "type at least 3 letters" in text
    text = client.post(find, {"q": f"{parcels[0].order_number}\nX-1\nX-2\n9811111112"}).content
    assert "these 3:" in text.decode()
    assert "X-1, X-2, •••••••112" in text.decode()
    assert said not in client.get(find).content.decode()
    assert said not in client.get(LIST).content.decode()


def test_too_many_at_once_are_refused_in_words(
    client: Client, parcels: list[Shipment], find: str
) -> None:
    many = "\n".join(f"N-{number}" for number in range(MAX_TERMS + 1))
    text = client.post(find, {"q": many, "from_list": "1"}).content.decode()
    assert f"That is {MAX_TERMS + 1} things to look for" in text


def test_a_user_finds_nothing_of_another_company(client: Client, find: str, shipment: Any) -> None:
    user = make_staff("view_shipment")
    StaffScope.objects.create(user=user).companies.add(CompanyFactory())
    client.force_login(user)
    for text in (shipment.order_number, "98765 43210", shipment.consignee_name):
        answer = client.post(find, {"q": text})
        assert answer.status_code == 200
        assert "No shipment that you may see has" in answer.content.decode()


def test_finding_needs_the_permission(client: Client, find: str, shipment: Any) -> None:
    assert client.get(find).headers["Location"].startswith("/admin/login/")
    client.force_login(make_staff("view_scan"))
    assert client.get(find).status_code == 403
    assert client.post(find, {"q": shipment.order_number}).status_code == 403
    assert client.get(LIST, {"q": shipment.order_number}).status_code == 403
