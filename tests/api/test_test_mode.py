"""Test mode as a developer meets it: a test account at the sandbox, orders that choose ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.test import Client

from couriers.models import Company, CourierAccount, Shipment, Warehouse
from sandbox.chosen_ends import ChosenEnd
from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN
from tests.support.api import SHIPMENTS, post_json, post_shipment
from tests.support.commands import run_command, run_json
from tests.support.factories import CourierAccountFactory, CourierRowFactory, make_api_key
from tests.support.sandboxes import sandbox_fixture
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db(transaction=True)
sandbox = sandbox_fixture("--pace", "0.1", "--slow-seconds", "0.5")
COMPANY = (
    "ekart", "--company", "acme", "--create", "--name", "Acme", "--gstin", "29AAGCR4375J1ZU",
    "--address", "1 Example Road", "--state", "KA", "--pincode", "560001", "--phone", "9845012345",
)  # fmt: skip
MAX_WAIT = 30.0  # seconds until a parcel has reached its end


@pytest.fixture
def seeded(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, live_server: Any, settings: Any
) -> dict[str, Any]:
    """A company with a test account at the sandbox, which calls back."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": live_server.url}
    given = {"EKART_BASE_URL": sandbox.url, "EKART_WEBHOOK_SECRET": "a-secret-of-tests"}
    for name, value in (given | SANDBOX_LOGIN).items():
        monkeypatch.setenv(name, value)
    done = run_json("seed_courier", *COMPANY, "--test")
    run_json("register_webhooks", "ekart", "--company", "acme", "--test")
    return done


@pytest.fixture
def shop(seeded: dict[str, Any]) -> Client:
    return Client(headers={"Authorization": f"Bearer {seeded['api_key']}"})


@pytest.fixture
def book(shop: Client, order: dict[str, Any]) -> Callable[[str], Any]:
    """Books the sample order under another number; returns the answer."""

    def book_as(number: str) -> Any:
        return post_shipment(shop, order | {"courier": "ekart", "order_number": number})

    return book_as


def wait_for(shop: Client, booked: Any, status: str) -> dict[str, Any]:
    """The shipment once the callbacks have brought it to the status."""
    deadline = time.monotonic() + MAX_WAIT
    while time.monotonic() < deadline:
        process_batch()
        shown: dict[str, Any] = shop.get(f"{SHIPMENTS}{booked['id']}/").json()
        if shown["status"] == status:
            return shown
        time.sleep(0.1)
    raise AssertionError(f"it is {shown['status']} and not {status}")


def test_seeding_for_tests_makes_all_that_a_test_key_needs_and_nothing_live(
    seeded: dict[str, Any],
) -> None:
    assert seeded["api_key"].startswith("sk_test_")
    assert list(CourierAccount.objects.values_list("pk", "is_test")) == [
        (seeded["account_id"], True)
    ]
    assert list(Warehouse.objects.values_list("is_default", "is_test")) == [(True, True)]
    assert run_json("seed_courier", *COMPANY, "--test")["api_key"] is None


@pytest.mark.parametrize(
    ("chosen", "status"),
    [(ChosenEnd.DELIVERED, "delivered"), (ChosenEnd.NDR, "undelivered"),
     (ChosenEnd.RTO, "rto_delivered")],
)  # fmt: skip
def test_an_order_number_chooses_the_end(
    shop: Client, book: Any, chosen: ChosenEnd, status: str
) -> None:
    answer = book(f"TEST-{chosen.upper()}-1")
    assert answer.status_code == 201
    assert answer.json()["is_test"] is True
    shown = wait_for(shop, answer.json(), status)
    if chosen is ChosenEnd.NDR:
        assert shown["ndr_reason"]
        again = post_json(shop, f"{SHIPMENTS}{shown['id']}/rto/", {})
        assert again.status_code == 202
        wait_for(shop, shown, "rto_delivered")


def test_a_doubt_is_settled_by_the_callback_and_a_repeat_books_nothing(
    shop: Client, book: Any, sandbox: SandboxProcess
) -> None:
    answer = book("TEST-DOUBT-7")
    assert (answer.status_code, answer.json()["status"]) == (202, "in_doubt")
    assert book("TEST-DOUBT-7").json()["id"] == answer.json()["id"]
    wait_for(shop, answer.json(), "delivered")
    assert len(list(sandbox.shipments())) == 1


def test_a_refusal_has_the_couriers_words_and_books_nothing(
    book: Any, sandbox: SandboxProcess
) -> None:
    answer = book("TEST-REFUSED-1")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/problems/rejected")
    assert "is refused, as it asks for" in answer.json()["courier_message"]
    assert list(sandbox.shipments()) == []


def test_a_slow_answer_is_waited_for(book: Any) -> None:
    began = time.monotonic()
    answer = book("test-slow-1")
    assert (answer.status_code, answer.json()["status"]) == (201, "booked")
    assert time.monotonic() - began >= 0.5


def test_the_docs_list_every_number_that_chooses_an_end() -> None:
    text = Path("docs/api.md").read_text()
    for chosen in ChosenEnd:
        assert f"| `TEST-{chosen.upper()}-…` |" in text, chosen


def test_a_live_key_cannot_book_with_the_test_account(
    seeded: dict[str, Any], order: dict[str, Any], sandbox: SandboxProcess
) -> None:
    company = Company.objects.get()
    live = Client(headers={"Authorization": f"Bearer {make_api_key(company)}"})
    answer = post_shipment(live, order | {"courier": "ekart"})
    assert answer.status_code == 400
    assert "has no account with ekart" in answer.content.decode()
    assert list(sandbox.shipments()) == []


def test_a_command_says_that_there_is_a_test_account_alone(
    seeded: dict[str, Any], tmp_path: Any
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_number\nA-1\n")
    with pytest.raises(CommandError, match="but a test account: give --test"):
        run_command("book_orders", str(path), "--company", "acme", "--courier", "ekart")


@pytest.mark.slow
def test_a_spreadsheet_is_booked_in_test_mode(seeded: dict[str, Any]) -> None:
    done = run_json(
        "book_orders", "fixtures/orders_sample.csv", "--company", "acme", "--courier", "ekart",
        "--test",
    )  # fmt: skip
    assert done["booked"] > 0
    assert set(Shipment.objects.values_list("is_test", "account_id")) == {
        (True, seeded["account_id"])
    }


def test_a_test_account_is_not_at_the_couriers_live_server(company: Any) -> None:
    live = {"base_url": "https://app.elite.ekartlogistics.in"}
    with pytest.raises(ValidationError, match="live server"):
        CourierAccountFactory(company=company, is_test=True, **live)
    account = CourierAccountFactory(company=company, **live)
    account.is_test = True
    with pytest.raises(ValidationError, match="live server"):
        account.full_clean()
    CourierAccountFactory(
        company=company, courier=CourierRowFactory(), is_test=True,
        base_url="https://staging.ekart.example",
    )  # fmt: skip
