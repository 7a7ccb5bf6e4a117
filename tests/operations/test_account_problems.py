"""What a company's accounts lack is said in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import CredentialsRefused, Rejected
from couriers.contract.registry import CourierFactory
from couriers.models import CallbackTally, Company, CourierAccount, WarehouseRegistration
from couriers.operations.account_checks import try_login
from couriers.operations.account_problems import account_problems
from couriers.operations.company_rows import CompanyRows
from couriers.operations.guided_start import StepKey, StepState, steps_of
from tests.support.drafts import draft_with, raising
from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory
from tests.support.fail_over import Asked, asked_in_turn

pytestmark = pytest.mark.django_db(transaction=True)

HEADERS = {"delhivery": "x-delhivery-token", "velocity": "X-API-Key"}
EMPTY = "the prepaid wallet is too low: recharge it"


def account_of(company: Company, code: str, **fields: Any) -> CourierAccount:
    """Return the company's account with a real plug-in."""
    row = CourierRowFactory(code=code, name=code.title())
    return CourierAccountFactory(company=company, courier=row, **fields)


def problems(company: Company) -> dict[tuple[str, StepKey], str]:
    return {
        (one.account.courier_id, one.step.key): one.step.text
        for one in account_problems(CompanyRows(company))
    }


def fail(account: CourierAccount, toy: Any, times: int, words: str = EMPTY) -> None:
    toy.on_create = raising(Rejected(words))
    for _ in range(times):
        with pytest.raises(Rejected):
            book(account.company, draft_with(order_number=f"F-{next(_numbers)}"))
    toy.on_create = None


_numbers = iter(range(10_000))


@pytest.mark.parametrize("code", HEADERS)
def test_a_courier_that_must_be_asked_is_said_with_its_header(company: Company, code: str) -> None:
    account = account_of(company, code)
    text = problems(company)[code, StepKey.CALLBACKS]
    assert account.webhook_url in text
    assert f"with the header {HEADERS[code]}" in text
    assert f"Ask {code.title()} to send" in text
    assert account.webhook_secret not in text
    CallbackTally.objects.create(account=account, accepted_at=timezone.now())
    assert (code, StepKey.CALLBACKS) not in problems(company)


@pytest.mark.parametrize("code", HEADERS)
def test_without_a_secret_it_is_to_be_made_first(company: Company, code: str) -> None:
    account_of(company, code, webhook_secret="")
    assert problems(company)[code, StepKey.CALLBACKS].startswith("Make a webhook secret.")


@pytest.mark.parametrize("code", HEADERS)
def test_a_warehouse_is_to_be_added_and_registered(company: Company, code: str) -> None:
    account = account_of(company, code)
    warehouse = company.warehouses.get()
    text = problems(company)[code, StepKey.WAREHOUSE]
    assert text == f"Register {warehouse} at {code.title()}."
    registration = WarehouseRegistration.objects.create(
        account=account, warehouse=warehouse, state="failed", reason="the pincode is not served",
        address_hash=warehouse.as_pickup().address.fingerprint(),
    )  # fmt: skip
    assert "refuses" in problems(company)[code, StepKey.WAREHOUSE]
    assert "the pincode is not served" in problems(company)[code, StepKey.WAREHOUSE]
    WarehouseRegistration.objects.filter(pk=registration.pk).update(
        state="synced", reference="W-1", reason=""
    )
    assert (code, StepKey.WAREHOUSE) not in problems(company)
    company.warehouses.update(is_default=False)
    assert problems(company)[code, StepKey.WAREHOUSE].startswith("Add the company's warehouse")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://staging-express.delhivery.com", "test server, which refuses the login of the l"),
        ("https://track.delhivery.com", "live server, which refuses the login of the test"),
    ],
)  # fmt: skip
def test_a_refused_login_says_which_server_it_was_for(
    company: Company, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    account = account_of(company, "delhivery", base_url=url)
    adapter = CourierFactory.adapter_class("delhivery")
    monkeypatch.setattr(adapter, "check_login", raising(CredentialsRefused("the key is refused")))
    tried = try_login(account)
    assert tried.said.startswith("Delhivery says: the key is refused.")
    assert said in tried.said


def test_the_last_bookings_are_told_in_the_couriers_words_until_one_has_a_parcel(
    account: CourierAccount, toy: Any
) -> None:
    fail(account, toy, 2)
    key = ("toy", StepKey.LIVE)
    assert key not in problems(account.company)
    fail(account, toy, 1)
    assert problems(account.company)[key] == (
        f"The last 3 bookings with Toy had no parcel. The newest ended with: {EMPTY}."
    )
    step = steps_of(account.company, account)[-1]
    assert (step.key, step.state) == (StepKey.LIVE, StepState.FAILED)
    assert EMPTY in step.text
    book(account.company, draft_with(order_number="B-1"))
    assert key not in problems(account.company)
    assert steps_of(account.company, account)[-1].state == StepState.DONE


def test_orders_in_doubt_count_too(account: CourierAccount) -> None:
    for number in range(3):
        ShipmentFactory(
            account=account, warehouse=account.company.warehouses.get(), status="in_doubt",
            tracking_id="", failure=f"the key is of the other environment, {number}",
        )  # fmt: skip
    text = problems(account.company)["toy", StepKey.LIVE]
    assert "the key is of the other environment, 2" in text


@pytest.fixture
def two(company: Company, no_backoff: None) -> Iterator[list[Asked]]:
    with asked_in_turn(company, "one", "two") as asked:
        yield asked


def test_orders_that_went_on_to_the_next_courier_count_for_the_first(
    company: Company, two: list[Asked]
) -> None:
    two[0].books.behaviours = ["refuses"] * 3
    for number in range(3):
        book(company, draft_with(courier="auto", order_number=f"A-{number}"))
    found = problems(company)
    assert "no such pincode" in found["one", StepKey.LIVE]
    assert ("two", StepKey.LIVE) not in found


def test_more_accounts_and_orders_cost_no_more_statements(
    company: Company, account: CourierAccount, django_assert_num_queries: Any
) -> None:
    ShipmentFactory(account=account, warehouse=company.warehouses.get())
    with django_assert_num_queries(6):
        account_problems(CompanyRows(company))
    for code in HEADERS:
        account_of(company, code)
    ShipmentFactory.create_batch(5, account=account, warehouse=company.warehouses.get())
    with django_assert_num_queries(6):
        account_problems(CompanyRows(company))
