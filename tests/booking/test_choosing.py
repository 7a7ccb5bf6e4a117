"""Whom the company's rules choose for an order, and who is passed over with which reason."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from couriers.booking import choosing
from couriers.booking.choosing import choose
from couriers.booking.drafts import clean_draft
from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierDisabled, InvalidRequest, RateLimited
from couriers.contract.request_checks import OrderLimits
from couriers.contract.types import Direction, PaymentMode, Serviceability
from couriers.models import (
    Company,
    Courier,
    CourierAccount,
    ServiceablePincode,
)
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.choices import BOOKS, booking_courier, rule
from tests.support.drafts import draft_with, raising
from tests.support.quoting import quote

AUTO = draft_with(courier="auto")
COD = {"payment_mode": PaymentMode.COD, "cod_amount": Decimal("1523.00")}


def codes(company: Company, draft: Any = AUTO) -> list[str]:
    return [one.courier for one in choose(company, draft, is_test=False).candidates]


def reasons(company: Company, draft: Any = AUTO) -> dict[str, str]:
    return {one.courier: one.reason for one in choose(company, draft, is_test=False).passed_over}


@pytest.mark.django_db
def test_the_first_rule_that_holds_chooses(company: Company) -> None:
    with ExitStack() as stack:
        for code in ("one", "two", "three"):
            stack.enter_context(booking_courier(company, code))
        rule(company, "one", conditions={"payment_modes": ["cod"]})
        rule(company, "two", "three", conditions={"states": ["Karnataka"]}, is_enabled=False)
        rule(company, "three", "two", conditions={"min_weight_g": 200, "max_weight_g": 300})
        assert codes(company) == ["three", "two"]
        assert codes(company, draft_with(courier="auto", **COD)) == ["one"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("priority", ["slow", "quick", "mute"]),
        ("cheapest", ["slow", "quick", "mute"]),
        ("fastest", ["quick", "slow", "mute"]),
    ],
)
def test_a_strategy_orders_the_rule_s_couriers(
    company: Company, strategy: str, expected: list[str]
) -> None:
    with (
        booking_courier(company, "mute", capabilities=BOOKS - {Capability.GET_RATES}),
        booking_courier(
            company, "quick", lambda _: [quote("AIR", "90", 1), quote("ROAD", "70", 4)]
        ),
        booking_courier(company, "slow", "60", days=5),
    ):
        rule(company, "slow", "quick", "mute", strategy=strategy)
        assert codes(company) == expected
        services = {one.courier: one.service for one in _candidates(company)}
    air = {"fastest": "AIR", "cheapest": "ROAD", "priority": ""}
    assert services["quick"] == air[strategy]


def _candidates(company: Company) -> Any:
    return choose(company, AUTO, is_test=False).candidates


@pytest.mark.django_db
def test_a_rule_may_name_the_service_of_a_courier(company: Company) -> None:
    asked: list[str] = []

    def quotes(request: Any) -> Any:
        asked.append(request.service)
        return [quote("AIR", "90", 1)]

    with booking_courier(company, "one", quotes), booking_courier(company, "two", "80"):
        rule(
            company, strategy="cheapest",
            couriers=[{"courier": "one", "service": "AIR"}, {"courier": "two"}],
        )  # fmt: skip
        assert codes(company) == ["two", "one"]
    assert asked == ["AIR"]


@pytest.mark.django_db
def test_weights_choose_the_same_courier_for_the_same_order_and_keep_the_shares(
    company: Company,
) -> None:
    with booking_courier(company, "one"), booking_courier(company, "two"):
        rule(
            company, strategy="weights",
            couriers=[{"courier": "one", "weight": 3}, {"courier": "two", "weight": 1}],
        )  # fmt: skip
        drafts = [draft_with(courier="auto", order_number=f"W-{n}") for n in range(200)]
        chosen = [codes(company, draft)[0] for draft in drafts]
        assert [codes(company, draft)[0] for draft in drafts] == chosen
    assert 130 <= chosen.count("one") <= 170


@pytest.mark.django_db
def test_couriers_that_cannot_take_the_order_are_passed_over_with_the_reason(
    company: Company,
) -> None:
    limits = OrderLimits(max_weight_g=200)
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(booking_courier(company, "good"))
        enter(booking_courier(company, "light", order_limits=limits))
        off = enter(booking_courier(company, "off"))
        CourierAccount.objects.filter(pk=off.pk).update(rollout="off")
        enter(booking_courier(company, "pilot"))
        Courier.objects.filter(code="pilot").update(rollout="off")
        enter(booking_courier(company, "nowhere", lambda _: []))
        enter(booking_courier(company, "busy", raising(RateLimited("slowly", retry_after=2))))
        broken = enter(booking_courier(company, "broken"))
        breaker = CircuitBreaker.of_account("broken", broken.pk)
        for _ in range(20):
            breaker.record_failure()
        away = enter(booking_courier(company, "away"))
        rule(company, "away", "good", strategy="cheapest", conditions={"directions": ["reverse"]})
        CourierAccount.objects.filter(pk=away.pk).delete()
        assert codes(company) == ["good"]
        assert reasons(company) == {
            "light": "beyond_limits", "off": "switched_off", "pilot": "not_enabled",
            "nowhere": "not_serviceable", "busy": "busy", "broken": "circuit_open",
        }  # fmt: skip
        back = draft_with(courier="auto", direction=Direction.REVERSE, order_number="R-1")
        assert reasons(company, back) == {"away": "not_enabled"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "draft", "is_served"),
    [
        ({"serviceable": True}, AUTO, True),
        ({"serviceable": False}, AUTO, False),
        ({"serviceable": True, "forward_drop": False}, AUTO, False),
        ({"serviceable": True, "cod": False}, AUTO, True),
        ({"serviceable": True, "cod": False}, draft_with(courier="auto", **COD), False),
        (
            {"serviceable": True, "cod": True, "max_cod_amount": Decimal(1000)},
            draft_with(courier="auto", **COD), False,
        ),
        (
            {"serviceable": True, "reverse_pickup": False},
            draft_with(courier="auto", direction=Direction.REVERSE), False,
        ),
    ],
)  # fmt: skip
def test_the_list_of_pincodes_says_whom_the_consignee_can_be_served_by(
    company: Company, line: dict[str, Any], draft: Any, is_served: bool
) -> None:
    with booking_courier(company, "listed"), booking_courier(company, "unlisted"):
        rule(company, "listed", "unlisted")
        ServiceablePincode.objects.create(
            courier_id="listed", pincode="560008", loaded_at=timezone.now(), **line
        )
        assert codes(company, draft) == (["listed", "unlisted"] if is_served else ["unlisted"])


@pytest.mark.django_db
def test_the_warehouse_s_end_of_the_lane_counts_too(company: Company) -> None:
    pincode = company.warehouses.get().pincode
    with booking_courier(company, "listed"), booking_courier(company, "unlisted"):
        rule(company, "listed", "unlisted")
        ServiceablePincode.objects.create(
            courier_id="listed", pincode=pincode, loaded_at=timezone.now(),
            serviceable=True, forward_pickup=False,
        )  # fmt: skip
        (passed,) = choose(company, AUTO, is_test=False).passed_over
    assert passed.detail == f"it does not pick up at {pincode}"


@pytest.mark.django_db
def test_a_pincode_that_no_list_has_is_asked_about_once(company: Company) -> None:
    asked: list[str] = []

    def check(self: Any, pincode: str) -> Serviceability:
        asked.append(pincode)
        return Serviceability(pincode, True)

    able = BOOKS | {Capability.CHECK_SERVICEABILITY}
    with booking_courier(company, "one", capabilities=able, check_serviceability=check):
        rule(company, "one")
        assert codes(company) == codes(company) == ["one"]
    assert sorted(asked) == sorted({"560008", company.warehouses.get().pincode})


@pytest.mark.django_db
def test_a_courier_that_answers_late_is_passed_over_and_chosen_the_next_time(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "ASK_SECONDS", 0.2)
    go_on, ended = threading.Event(), threading.Event()

    def late(_: Any) -> Any:
        go_on.wait(10)
        ended.set()
        return [quote("ROAD", "10", 2)]

    with booking_courier(company, "late", late), booking_courier(company, "good"):
        choice = choose(company, AUTO, is_test=False)
        assert [one.courier for one in choice.candidates] == ["good"]
        assert choice.passed_over[0].as_json() == {
            "courier": "late", "reason": "timed_out", "detail": "no answer within 0.2 s",
        }  # fmt: skip
        go_on.set()
        assert ended.wait(10)
        for thread in threading.enumerate():
            if thread.name.startswith("choice"):
                thread.join(10)
        assert codes(company) == ["late", "good"]


@pytest.mark.django_db
def test_no_courier_left_is_refused_with_every_reason(company: Company) -> None:
    with (
        booking_courier(company, "one", lambda _: []),
        booking_courier(company, "two", lambda _: []),
        pytest.raises(InvalidRequest) as refusal,
    ):
        choose(company, AUTO, is_test=False)
    assert [(one.field, one.message) for one in refusal.value.problems] == [
        ("courier", f"{code} cannot take the order: no service is offered on the lane")
        for code in ("one", "two")
    ]


@pytest.mark.django_db
def test_no_courier_now_is_worth_asking_again(company: Company) -> None:
    with (
        booking_courier(company, "busy", raising(RateLimited("slowly", retry_after=7))),
        booking_courier(company, "never", lambda _: []),
        pytest.raises(RateLimited) as later,
    ):
        choose(company, AUTO, is_test=False)
    assert later.value.retry_after == 7
    assert "busy: slowly" in str(later.value)


@pytest.mark.django_db
def test_all_couriers_switched_off_is_said_so(company: Company) -> None:
    with booking_courier(company, "one") as account:
        CourierAccount.objects.filter(pk=account.pk).update(rollout="off")
        with pytest.raises(CourierDisabled):
            choose(company, AUTO, is_test=False)


@pytest.mark.django_db
def test_an_order_without_courier_names_no_quote_and_needs_an_account_and_a_warehouse(
    company: Company,
) -> None:
    for change, field in ({"quote": "x"}, "quote"), ({}, "courier"):
        with pytest.raises(InvalidRequest) as refusal:
            choose(company, draft_with(courier="auto", **change), is_test=False)
        assert refusal.value.problems[0].field == field
    company.warehouses.all().delete()
    with booking_courier(company, "one"), pytest.raises(InvalidRequest) as refusal:
        choose(company, AUTO, is_test=False)
    assert refusal.value.problems[0].field == "warehouse"


@pytest.mark.django_db
def test_a_choice_from_fresh_quotes_adds_three_statements_at_most_and_no_call(
    company: Company,
) -> None:
    calls: list[Any] = []

    def answer(request: Any) -> Any:
        calls.append(request)
        return [quote("ROAD", "60", 2)]

    with ExitStack() as stack:
        for code in ("one", "two", "three"):
            stack.enter_context(booking_courier(company, code, answer))
        for number in range(5):
            rule(company, strategy="cheapest", conditions={"max_weight_g": number + 1})
        rule(company, strategy="cheapest")
        draft = clean_draft(AUTO)
        choose(company, draft, is_test=False)
        assert len(calls) == 3
        with CaptureQueriesContext(connection) as captured:
            choose(company, draft, is_test=False)
    assert len(captured) <= 3, [query["sql"] for query in captured]
    assert len(calls) == 3
