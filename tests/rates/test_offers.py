"""Rates of all couriers side by side: by price, marked, and every missing courier with a reason."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from couriers.booking import offers
from couriers.contract.errors import (
    CircuitOpen,
    FieldProblem,
    InvalidRequest,
    RateLimited,
    Rejected,
    Unknown,
)
from couriers.models import Company, Courier, CourierAccount, ServiceablePincode
from shipcrowd.embedded.processes import wait_until
from tests.support.api import post_json
from tests.support.drafts import raising
from tests.support.factories import CompanyFactory, make_api_key
from tests.support.quoting import courier, http_courier, quote
from tests.support.threads import open_sessions

URL = "/api/v1/rates/"
LANE: dict[str, Any] = {
    "pickup_pincode": "560001", "drop_pincode": "110001",
    "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    "payment_mode": "cod", "invoice_amount": "1523.00", "cod_amount": "1523.00",
}  # fmt: skip


def ask(client: Client, **change: Any) -> Any:
    answer = post_json(client, URL, LANE | change)
    assert answer.status_code == 200, answer.content
    return answer.json()


def reasons(answer: Any) -> dict[str, str]:
    return {one["courier"]: one["reason"] for one in answer["missing"]}


@pytest.mark.django_db
def test_quotes_of_all_couriers_stand_by_price_with_the_cheapest_and_the_fastest(
    company: Company, storefront: Client
) -> None:
    company.rate_policy = {"flat_fee": "5.00"}
    company.save()
    with (
        courier(company, "one", lambda _: [quote("AIR", "90", 1), quote("ROAD", "60", 4)]),
        courier(company, "two", lambda _: [quote("SURFACE", "60", 2, zone="C")]),
        courier(company, "three", lambda _: [quote("EXPRESS", "120", 1), quote("SLOW", "70")]),
    ):
        answer = ask(storefront)
    shown = [
        (one["courier"], one["service"], one["price"]["total"], one["cheapest"], one["fastest"])
        for one in answer["quotes"]
    ]
    assert shown == [
        ("one", "ROAD", "65.00", True, False),
        ("two", "SURFACE", "65.00", True, False),
        ("three", "SLOW", "75.00", False, False),
        ("one", "AIR", "95.00", False, True),
        ("three", "EXPRESS", "125.00", False, True),
    ]
    assert answer["missing"] == []
    assert [one["max_days"] for one in answer["quotes"]] == [4, 2, None, 1, 1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "reason", "retry_after"),
    [
        (Rejected("no", courier="bad", courier_message="not here"), "refused", None),
        (CircuitOpen("later", retry_after=41.2), "circuit_open", 42),
        (RateLimited("slowly", retry_after=0.4), "busy", 1),
        (Unknown("read time-out"), "failed", None),
        (RuntimeError("a fault"), "failed", None),
        (
            InvalidRequest([FieldProblem("parcel.weight_g", "is more than 30 kg")]),
            "beyond_limits",
            None,
        ),
    ],
)
def test_a_courier_that_fails_is_missing_and_takes_no_quote_of_another(
    company: Company, storefront: Client, error: Exception, reason: str, retry_after: int | None
) -> None:
    with (
        courier(company, "bad", raising(error)),
        courier(company, "good", lambda _: [quote("ROAD", "60", 4)]),
    ):
        answer = ask(storefront)
    assert [one["courier"] for one in answer["quotes"]] == ["good"]
    (missing,) = answer["missing"]
    assert (missing["courier"], missing["reason"]) == ("bad", reason)
    assert missing["retry_after"] == retry_after
    assert missing["courier_message"] == getattr(error, "courier_message", "")
    fields = [problem["field"] for problem in missing["errors"]]
    assert fields == (["parcel.weight_g"] if reason == "beyond_limits" else [])


@pytest.mark.django_db
def test_a_courier_that_is_off_or_cannot_quote_is_not_asked(
    company: Company, storefront: Client
) -> None:
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return [quote("ROAD", "60")]

    with ExitStack() as stack:
        codes = ("cod", "off", "pilot", "quiet")
        rows = {code: stack.enter_context(courier(company, code, answer)) for code in codes}
        stack.enter_context(courier(company, "mute", answer, capabilities=frozenset()))
        stack.enter_context(courier(company, "nothing", lambda _: []))
        CourierAccount.objects.filter(pk=rows["off"].pk).update(rollout="off")
        Courier.objects.filter(code="quiet").update(is_enabled=False)
        Courier.objects.filter(code="pilot").update(rollout="off")
        ServiceablePincode.objects.create(
            courier_id="cod", pincode="110001", serviceable=True, cod=True, max_cod_amount=1000,
            loaded_at=timezone.now(),
        )  # fmt: skip
        found = ask(storefront)
    assert reasons(found) == {
        "cod": "beyond_limits", "mute": "not_supported", "nothing": "not_serviceable",
        "off": "switched_off", "pilot": "not_enabled", "quiet": "switched_off",
    }  # fmt: skip
    assert (found["quotes"], asked) == ([], [])
    (limit,) = [one for one in found["missing"] if one["courier"] == "cod"]
    assert limit["errors"][0]["field"] == "cod_amount"


@pytest.mark.django_db
def test_a_late_courier_is_missing_and_its_answer_is_found_the_next_time(
    company: Company, storefront: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "ASK_SECONDS", 0.2)
    go_on, calls = threading.Event(), []

    def late(_: Any) -> Any:
        calls.append(threading.current_thread())
        go_on.wait(10)
        return [quote("ROAD", "60", 4)]

    with (
        courier(company, "late", late),
        courier(company, "prompt", lambda _: [quote("ROAD", "70", 3)]),
    ):
        began = time.monotonic()
        first = ask(storefront)
        assert time.monotonic() - began < 2
        assert [one["courier"] for one in first["quotes"]] == ["prompt"]
        (missing,) = first["missing"]
        assert (missing["reason"], missing["retry_after"]) == ("timed_out", 3)
        go_on.set()
        calls[0].join(5)
        second = ask(storefront)
    assert [one["courier"] for one in second["quotes"]] == ["late", "prompt"]
    assert len(calls) == 1


@pytest.mark.django_db
def test_another_companys_couriers_are_not_asked(company: Company, client: Client) -> None:
    other = CompanyFactory()
    with courier(company, "one", lambda _: [quote("ROAD", "60")]):
        headers = {"Authorization": f"Bearer {make_api_key(other)}"}
        answer = post_json(client, URL, LANE, **headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "courier"


@pytest.mark.django_db
def test_a_named_courier_that_serves_nothing_there_is_missing(
    account: Any, able: Any, storefront: Client
) -> None:
    able.on_call["get_rates"] = lambda _: ()
    answer = ask(storefront, courier="toy")
    assert answer["quotes"] == []
    assert reasons(answer) == {"toy": "not_serviceable"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_three_couriers_that_answer_within_600_ms_are_compared_within_a_second(
    company: Company, storefront: Client
) -> None:
    before = open_sessions()
    draw = random.Random(7)
    seconds: list[float] = []
    with ExitStack() as stack:
        for code in ("one", "two", "three"):
            stack.enter_context(http_courier(company, code, lambda: draw.uniform(0.3, 0.6)))
        stack.enter_context(http_courier(company, "down", lambda: 0.3, 503))
        for number in range(20):
            began = time.monotonic()
            answer = ask(storefront, invoice_amount=str(Decimal(1600 + number)))
            seconds.append(time.monotonic() - began)
            assert [one["courier"] for one in answer["quotes"]] == ["one", "three", "two"]
            assert set(reasons(answer)) == {"down"}
    assert reasons(answer)["down"] == "circuit_open"
    assert sorted(seconds)[18] < 1.0, seconds
    assert wait_until(lambda: open_sessions() <= before, 5)


@pytest.mark.django_db(transaction=True)
def test_late_calls_keep_their_places_so_a_hanging_courier_is_busy_at_once(
    company: Company, storefront: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEB_THREADS": 4}
    monkeypatch.setattr(offers, "ASK_SECONDS", 0.2)
    before = open_sessions()
    go_on = threading.Event()

    def hang() -> float:
        go_on.wait(20)
        return 0

    found = []
    with http_courier(company, "hanging", hang):
        for number in range(4):
            found.append(reasons(ask(storefront, invoice_amount=str(1600 + number))))
        go_on.set()
        while any(thread.name.startswith("rates") for thread in threading.enumerate()):
            time.sleep(0.02)
    assert [one["hanging"] for one in found] == ["timed_out", "timed_out", "busy", "busy"]
    assert wait_until(lambda: open_sessions() <= before, 5)
