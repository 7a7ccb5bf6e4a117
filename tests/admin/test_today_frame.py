"""What stands around every page: the sidebar by task with its badges, and the banner."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from couriers.admin.today import facts
from couriers.admin.today.work_filter import url_of
from couriers.models import Courier
from couriers.models.rollout import CourierRollout
from couriers.operations import health_lists
from couriers.operations.rollouts import change_rollout
from couriers.operations.worklists import worklist
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.factories import CourierAccountFactory, make_staff
from tests.support.hanging import own_valkey
from tests.support.today import tiles_of
from tests.support.work import hold_to, make_work

pytestmark = pytest.mark.django_db
SHIPMENTS = "/admin/shipcrowd_couriers/shipment/"
_ITEM = re.compile(
    r'<li>\s*<a href="([^"]*)".*?</span>\s*<span>(.*?)</span>(.*?)</a>', re.DOTALL
)  # fmt: skip
BADGES = {"Doubts": "doubts", "NDR": "ndr", "Not picked": "not-picked", "Flags": "flags",
          "Callbacks": "callbacks", "Manifests": "chunks", "Bulk jobs": "bulk",
          "Warehouses": "registrations"}  # fmt: skip


def sidebar(client: Client, path: str = SHIPMENTS) -> dict[str, tuple[str, str]]:
    """The link and the badge of each item of the sidebar, by its title."""
    page = client.get(path).content.decode()
    return {
        title: (unescape(link), "".join(re.findall(r"\d+", re.sub(r"<[^>]*>", "", rest))))
        for link, title, rest in _ITEM.findall(page.split('id="main"')[0])
    }


def banner(client: Client, path: str = SHIPMENTS) -> str:
    """The text of the banner, "" without one."""
    _, _, found = client.get(path).content.decode().partition('id="shipcrowd-banner">')
    text = re.sub(r"<[^>]*>", "", found.partition("</div>")[0])
    return " ".join(unescape(text).split())


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def open_circuit(account: Any) -> None:
    circuit = CircuitBreaker.of_account(account.courier_id, account.pk)
    for _ in range(5):
        circuit.record_failure()


def test_the_badges_are_the_numbers_of_the_tiles(boss: Client) -> None:
    for _ in range(2):
        make_work(CourierAccountFactory())
    tiles = tiles_of(boss)
    for where in ("/admin/", SHIPMENTS):
        items = sidebar(boss, where)
        assert {title: items[title][1] for title in BADGES} == {
            title: str(tiles[name].number) for title, name in BADGES.items()
        }
    assert items["Doubts"][0] == tiles["doubts"].url
    assert items["Shipments"][1] == items["Companies"][1] == ""


def test_the_badges_of_a_user_held_to_a_company_are_of_that_company(client: Client) -> None:
    mine = CourierAccountFactory()
    make_work(mine)
    make_work(CourierAccountFactory())
    user = make_staff("view_shipment", "view_shipmentflag")
    hold_to(user, mine.company)
    client.force_login(user)
    items = sidebar(client)
    assert (items["Doubts"][1], items["Flags"][1]) == ("1", "1")


def test_the_sidebar_has_what_the_user_may_view_and_machinery_under_advanced(
    boss: Client,
) -> None:
    page = boss.get(SHIPMENTS).content.decode()
    daily, advanced = page.split("Advanced")[:2]
    for title in ("Today", "Shipments", "NDR", "Doubts", "Callbacks", "Manifests", "Companies"):
        assert f"<span>{title}</span>" in daily
    for title in ("Scans", "Idempotency keys", "Courier tokens", "Bulk turns"):
        assert f"<span>{title}</span>" in advanced
        assert f"<span>{title}</span>" not in daily
    few = Client()
    few.force_login(make_staff("view_shipment"))
    assert sidebar(few).keys() == {"Today", "Shipments", "Doubts", "NDR", "Not picked"}


def test_without_work_there_is_no_badge(boss: Client) -> None:
    assert {badge for _, badge in sidebar(boss).values()} == {""}


def test_a_page_is_served_with_badges_of_a_moment_ago_and_the_first_page_with_those_of_now(
    boss: Client,
) -> None:
    assert sidebar(boss)["Doubts"][1] == ""
    make_work(CourierAccountFactory())
    assert sidebar(boss)["Doubts"][1] == ""
    assert sidebar(boss, "/admin/")["Doubts"][1] == "1"
    assert sidebar(boss)["Doubts"][1] == "1"


@pytest.mark.django_db(transaction=True)
def test_no_page_breaks_where_the_numbers_cannot_be_read(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise OperationalError("the connection is lost")

    make_work(CourierAccountFactory())
    monkeypatch.setattr(facts, "tallies", fails)
    monkeypatch.setattr(facts, "account_facts", fails)
    assert sidebar(boss)["Doubts"][1] == ""
    tiles = tiles_of(boss)
    assert {tiles[name].state for name in ("ndr", "circuits", "logins")} == {"unknown"}
    assert tiles["ndr"].number is None


def test_a_courier_that_is_not_for_everybody_is_on_every_page_with_who_and_why(
    boss: Client,
) -> None:
    account = CourierAccountFactory(courier__code="toy", courier__name="Toy")
    assert banner(boss) == ""
    actor = get_user_model().objects.get()
    change_rollout(
        "toy", CourierRollout.PERCENTAGE, percentage=5, actor=actor, reason="the first week"
    )
    facts.forget()
    for where in ("/admin/", SHIPMENTS, f"/admin/shipcrowd_couriers/company/{account.company.pk}/"):
        text = banner(boss, f"{where}change/" if "company" in where else where)
        assert text.startswith("warning Toy takes new bookings of 5 per cent of all companies")
        assert "by boss: the first week." in text
    Courier.objects.update(is_enabled=False)
    facts.forget()
    assert "Toy is switched off: it takes no new booking." in banner(boss)
    Courier.objects.update(is_enabled=True, rollout="all")
    facts.forget()
    assert banner(boss) == ""


def test_the_banner_leads_to_the_page_that_changes_it_for_those_who_may(client: Client) -> None:
    Courier.objects.create(code="toy", name="Toy", rollout="off")
    links = {}
    for name in ("change_rollout", "view_courier", "view_shipment"):
        client.force_login(make_staff(*{name, "view_shipment"}, username=name))
        page = client.get(SHIPMENTS).content.decode()
        links[name] = re.findall(r'underline" href="([^"]*)"', page)
    assert links == {
        "change_rollout": ["/admin/shipcrowd_couriers/courier/toy/rollout/"],
        "view_courier": ["/admin/shipcrowd_couriers/courier/toy/change/"],
        "view_shipment": [],
    }


def test_an_open_circuit_is_in_the_banner_of_those_who_may_see_its_company(boss: Client) -> None:
    account = CourierAccountFactory(company__name="Acme", courier__name="Toy")
    open_circuit(account)
    assert "The circuit of Acme to Toy is open: its calls are held back." in banner(boss)
    stranger, other = make_staff("view_shipment", username="stranger"), CourierAccountFactory()
    hold_to(stranger, other.company)
    client = Client()
    client.force_login(stranger)
    assert banner(client) == ""


def test_many_open_circuits_are_counted(boss: Client) -> None:
    for _ in range(4):
        open_circuit(CourierAccountFactory())
    assert "4 circuits are open: calls of these accounts are held back." in banner(boss)


def test_without_redis_pages_come_without_circuits(boss: Client, tmp_path: Any) -> None:
    Courier.objects.create(code="toy", name="Toy", rollout="off")
    open_circuit(CourierAccountFactory())
    with own_valkey(tmp_path) as valkey:
        valkey.stop()
        text = banner(boss)
    assert "Toy takes no new bookings." in text
    assert "circuit" not in text


def test_nobody_is_told_before_logging_in(client: Client) -> None:
    Courier.objects.create(code="toy", name="Toy", rollout="off")
    page = client.get("/admin/login/").content.decode()
    assert "Toy" not in page
    assert "shipcrowd-banner" not in page


def test_a_work_list_is_led_to_by_its_own_page_and_one_of_health_by_the_list_of_its_rows() -> None:
    assert url_of(worklist("ndr"), "admin") == reverse("admin:shipcrowd_worklist", args=["ndr"])
    lost = next(one for one in health_lists.registered() if one.name == "lost")
    assert url_of(lost, "admin") == f"{SHIPMENTS}?work=lost"
