"""The loaded list of pincodes: used while it is fresh, else the courier is called."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, Unknown
from couriers.contract.types import PaymentMode, Serviceability
from couriers.models import ServiceablePincode, Shipment
from couriers.rates import serviceability
from tests.support.commands import run_json
from tests.support.drafts import DRAFT, raising

LINES = [
    Serviceability("560008", True, cod=True, max_cod_amount=Decimal("1000.00"),
                   forward_pickup=True, forward_drop=True, reverse_pickup=False,
                   reverse_drop=None, city="Bengaluru", state="Karnataka"),
    Serviceability("110001", True, cod=False),
    Serviceability("400001", False, remark="closed"),
]  # fmt: skip
COD = dataclasses.replace(DRAFT, payment_mode=PaymentMode.COD)


def lists(able: Any, *lines: Serviceability) -> None:
    able.on_call["list_serviceability"] = lambda _: iter(lines)


def load(*flags: str) -> dict[str, Any]:
    return run_json("load_serviceability", "--courier", "toy", *flags)


def test_a_list_is_loaded_and_loading_it_again_changes_nothing(account: Any, able: Any) -> None:
    lists(able, *LINES)
    for _ in range(2):
        assert load() == {
            "courier": "toy", "pincodes": 3, "dropped": 0, "unreadable": 0,
        }  # fmt: skip
    assert [row.as_serviceability() for row in ServiceablePincode.objects.order_by("id")] == LINES


def test_missing_pincodes_are_dropped_and_lines_without_a_pincode_are_counted(
    account: Any, able: Any
) -> None:
    lists(able, *LINES)
    load()
    mended = dataclasses.replace(LINES[0], max_cod_amount=Decimal("2000.00"))
    lists(able, mended, mended, Serviceability("0123", True), Serviceability("५६०००८", True))
    assert load("--company", account.company.slug) == {
        "courier": "toy", "pincodes": 1, "dropped": 2, "unreadable": 2,
    }  # fmt: skip
    assert ServiceablePincode.objects.get().max_cod_amount == Decimal("2000.00")


def test_a_list_that_is_incomplete_or_empty_drops_nothing(account: Any, able: Any) -> None:
    lists(able, *LINES)
    load()

    def broken(_: Any) -> Iterator[Serviceability]:
        yield LINES[0]
        raise Unknown("reset")

    able.on_call["list_serviceability"] = broken
    with pytest.raises(SystemExit) as caught:
        load()
    assert caught.value.code == 3
    lists(able)
    assert load()["pincodes"] == 0
    assert ServiceablePincode.objects.count() == 3


def test_many_lines_are_loaded_in_batches(
    account: Any, able: Any, django_assert_max_num_queries: Any
) -> None:
    lists(able, *(Serviceability(str(n), True) for n in range(110_000, 113_500)))
    steps = []
    with django_assert_max_num_queries(20):
        loaded = serviceability.load_pincodes(account, lambda: steps.append(1))
    assert (loaded.pincodes, len(steps)) == (3500, 3500)


def test_a_courier_without_a_list_and_an_unknown_courier_are_refused(
    account: Any, toy: Any, company: Any
) -> None:
    with pytest.raises(CommandError, match="has no list of pincodes"):
        call_command("load_serviceability", "--courier", "toy")
    with pytest.raises(CommandError, match=r"known: .*ekart.*toy"):
        call_command("load_serviceability", "--courier", "dhl")


def ask(client: Client, pincode: str) -> Any:
    return client.get(f"/api/v1/serviceability/?courier=toy&pincode={pincode}")


def test_a_fresh_line_replaces_the_call_and_a_stale_one_does_not(
    storefront: Client, account: Any, able: Any, settings: Any
) -> None:
    lists(able, *LINES)
    serviceability.load_pincodes(account)
    able.asked.clear()
    answer = ask(storefront, "560008").json()
    assert (answer["max_cod_amount"], answer["reverse_pickup"]) == ("1000.00", False)
    assert ask(storefront, "400001").json()["serviceable"] is False
    assert able.asked == []
    assert ask(storefront, "600001").json()["serviceable"] is True  # not on the list: asked
    assert able.asked == [("check_serviceability", "600001")]
    ServiceablePincode.objects.update(loaded_at=timezone.now() - dt.timedelta(days=8))
    ask(storefront, "560008")
    assert able.asked[-1] == ("check_serviceability", "560008")
    settings.SHIPCROWD = settings.SHIPCROWD | {"SERVICEABILITY_FRESH_DAYS": 9}
    ask(storefront, "560008")
    assert len(able.asked) == 2


def test_an_outage_is_an_error_not_an_unserviceable_pincode(
    storefront: Client, account: Any, able: Any
) -> None:
    able.on_call["check_serviceability"] = raising(Unknown("read time-out"))
    answer = ask(storefront, "560008")
    assert (answer.status_code, "serviceable" in answer.json()) == (502, False)


@pytest.mark.parametrize(
    ("pincode", "amount", "refused"),
    [
        ("560008", "1000.00", False),
        ("560008", "1000.01", True),
        ("110001", "0.01", True),  # no COD there
        ("600001", "1523.00", False),  # not on the list
    ],
)
def test_the_cod_limit_of_a_pincode_is_checked_before_the_booking(
    account: Any, able: Any, pincode: str, amount: str, refused: bool
) -> None:
    lists(able, *LINES)
    serviceability.load_pincodes(account)
    consignee = dataclasses.replace(DRAFT.consignee, pincode=pincode)
    draft = dataclasses.replace(COD, cod_amount=Decimal(amount), consignee=consignee)
    if not refused:
        assert book(account.company, draft).status_code == 201
        return
    with pytest.raises(InvalidRequest) as caught:
        book(account.company, draft)
    assert [p.field for p in caught.value.problems] == ["cod_amount"]
    assert not Shipment.objects.exists()


def test_a_prepaid_order_and_a_stale_limit_are_not_refused(account: Any, able: Any) -> None:
    lists(able, *LINES)
    serviceability.load_pincodes(account)
    assert book(account.company, DRAFT).status_code == 201
    ServiceablePincode.objects.update(loaded_at=timezone.now() - dt.timedelta(days=8))
    draft = dataclasses.replace(COD, order_number="A-2", cod_amount=Decimal("1523"))
    assert book(account.company, draft).status_code == 201


def test_the_cod_limit_needs_no_further_query(
    account: Any, able: Any, django_assert_max_num_queries: Any
) -> None:
    lists(able, *LINES)
    serviceability.load_pincodes(account)
    draft = dataclasses.replace(COD, cod_amount=Decimal("900"))
    with django_assert_max_num_queries(13) as captured:
        book(account.company, draft)
    statements = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 9  # and one for the API key
