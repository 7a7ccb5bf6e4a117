"""A plug-in that breaks the contract is caught with its name, and nothing is lost by it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import ERROR, run_checks
from django.db import OperationalError
from django.test import override_settings

from couriers.booking.protocol import book
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import CourierError, NotSupported, Unknown
from couriers.contract.plugin_problems import adapter_problems
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import Booking, Limit, Scan, Serviceability, Tracking
from couriers.models import CourierCall, Shipment
from tests.support.drafts import DRAFT
from tests.support.toy import MAPPER, AbleToyAdapter, ToyAdapter

SCAN = Scan(MAPPER.map("in_transit"), dt.datetime(2026, 11, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    "answer",
    [
        Booking(""),
        Booking("  "),
        Booking(" T-1"),
        Booking("T" * 101),
        Booking("T\x00"),
        Booking("T-1", waybill="W" * 101),
        Booking("T-1", order_number="B-9"),
        Booking(7),  # type: ignore[arg-type]
        Booking("T-1", vendor=None),  # type: ignore[arg-type]
        {"tracking_id": "T-1"},
        "T-1",
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_a_wrong_answer_to_a_create_call_leaves_the_booking_in_doubt(
    account: Any, toy: Any, answer: Any
) -> None:
    toy.on_create = staticmethod(lambda _: answer)
    result = book(account.company, DRAFT)
    assert (result.status_code, result.shipment.status) == (202, "in_doubt")
    call = CourierCall.objects.get()
    assert (call.outcome, call.code) == ("unknown", "wrong-answer")
    assert "plug-in toy" in call.message
    assert "plug-in toy" in result.shipment.failure


def test_nothing_answered_to_a_create_call_leaves_the_booking_in_doubt(account: Any) -> None:
    class Silent(ToyAdapter):
        def create_shipment(self, request: Any) -> Any:
            return None

    CourierFactory.register(Silent)
    assert book(account.company, DRAFT).shipment.status == "in_doubt"


def test_an_exception_of_the_plug_ins_own_leaves_the_booking_in_doubt(
    account: Any, toy: Any
) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError("secret of the consignee")

    toy.on_create = staticmethod(fail)
    assert book(account.company, DRAFT).shipment.status == "in_doubt"
    call = CourierCall.objects.get()
    assert (call.outcome, call.code) == ("unknown", "ZeroDivisionError")
    assert "secret" not in call.message


def test_an_order_number_with_a_prefix_is_the_orders(account: Any, toy: Any) -> None:
    toy.on_create = staticmethod(lambda _: Booking("T-1", order_number="SHOP_A-1"))
    assert book(account.company, DRAFT).status_code == 201


def test_a_long_name_of_the_carrier_is_cut(account: Any, toy: Any) -> None:
    toy.on_create = staticmethod(lambda _: Booking("T-1", vendor="V" * 200 + "\x00"))
    assert book(account.company, DRAFT).status_code == 201
    assert Shipment.objects.get().vendor == "V" * 100


@pytest.mark.parametrize(
    ("capability", "arguments", "answer"),
    [
        (Capability.TRACK_SHIPMENT, ("T-1",), None),
        (Capability.TRACK_SHIPMENT, ("T-1",), Tracking("T-1", ("scan",))),  # type: ignore[arg-type]
        (
            Capability.TRACK_SHIPMENT,
            ("T-1",),
            Tracking("T-1", (dataclasses.replace(SCAN, at=dt.datetime(2026, 11, 1)),)),  # noqa: DTZ001
        ),
        (Capability.GET_RATES, (None,), [Decimal(5)]),
        (Capability.GET_RATES, (None,), "rates"),
        (Capability.CHECK_SERVICEABILITY, ("560001",), True),
        (Capability.CREATE_MANIFEST, (["T-1"],), "https://toy.example/m"),
        (Capability.GET_LABEL, (["T-1"],), b"%PDF"),
        (Capability.CANCEL_SHIPMENT, ("T-1",), True),
    ],
)
def test_a_wrong_answer_of_any_method_is_unknown_and_names_the_plug_in(
    able: Any, account: Any, capability: Capability, arguments: tuple[Any, ...], answer: Any
) -> None:
    able.on_call[capability.value] = lambda _: answer
    adapter = able(account)
    if answer is None:
        adapter.track_shipment = lambda _: None
    with pytest.raises(Unknown, match="plug-in toy") as caught:
        call_adapter(adapter, capability, *arguments)
    assert caught.value.code == "wrong-answer"


def test_every_capability_has_a_check_of_its_answers(account: Any) -> None:
    class Empty(ToyAdapter):
        pass

    for capability in Capability:
        setattr(Empty, capability.value, lambda self, *_: object())
    adapter = Empty(account)
    for capability in Capability:
        with pytest.raises(Unknown):
            list(call_adapter(adapter, capability, DRAFT))


def test_a_list_that_breaks_the_contract_half_way_is_unknown(able: Any, account: Any) -> None:
    good = Serviceability("560001", True)
    able.on_call["list_serviceability"] = lambda _: [good, "560002"]
    lines = call_adapter(able(account), Capability.BULK_SERVICEABILITY)
    assert next(lines) == good
    with pytest.raises(Unknown, match="plug-in toy"):
        next(lines)


def test_a_capability_without_its_method_raises_before_any_call(account: Any) -> None:
    adapter = ToyAdapter(account)
    with pytest.raises(NotSupported):
        call_adapter(adapter, Capability.GET_LABEL, ["T-1"])


def test_an_outage_of_the_database_in_a_plug_in_is_no_fault_of_it(able: Any, account: Any) -> None:
    def fail(_: Any) -> None:
        raise OperationalError("away")

    able.on_call["track_shipment"] = fail
    with pytest.raises(OperationalError):
        call_adapter(able(account), Capability.TRACK_SHIPMENT, "T-1")


def test_an_error_of_the_contract_passes_unchanged(able: Any, account: Any) -> None:
    error = CourierError("as it is")

    def fail(_: Any) -> None:
        raise error

    able.on_call["get_rates"] = fail
    with pytest.raises(CourierError) as caught:
        call_adapter(able(account), Capability.GET_RATES, None)
    assert caught.value is error


class Lying(BaseCourierAdapter):
    """An adapter that declares what it lacks, and wrong numbers."""

    code = "Lying Courier"
    name = ""
    mapper = StatusMapper({status.value: status for status in Status})
    capabilities = frozenset({Capability.CREATE_SHIPMENT, "fly"})  # type: ignore[arg-type]
    track_size = 0
    lookup_lag = -1
    default_limits = {"create_shipment": Limit(0, 1)}


def test_what_an_adapter_class_declares_is_compared_with_what_it_has() -> None:
    problems = "; ".join(adapter_problems(Lying))
    for words in ("`code`", "`name`", "'fly'", "`track_size`", "`lookup_lag`", "create_shipment"):
        assert words in problems

    class Better(Lying):
        capabilities = frozenset({Capability.CREATE_SHIPMENT})

        def track_shipment(self, tracking_id: str) -> Any:
            return None

    problems = "; ".join(adapter_problems(Better))
    assert "declares CREATE_SHIPMENT and lacks the method create_shipment" in problems
    assert "has the method track_shipment and does not declare TRACK_SHIPMENT" in problems
    assert adapter_problems(ToyAdapter) == []


def test_a_courier_that_is_called_auto_is_refused_when_the_platform_starts() -> None:
    class Auto(ToyAdapter):
        code = "auto"
        name = "Auto Couriers"

    CourierFactory.register(Auto)
    try:
        found = [one for one in run_checks() if "plug-in auto" in one.msg]
    finally:
        CourierFactory.unregister("auto")
    (error,) = found
    assert (error.id, error.level) == ("couriers.E024", ERROR)
    assert "`code` must not be 'auto', which stands for the choice" in error.msg


@pytest.mark.usefixtures("toy")
def test_the_system_check_names_a_plug_in_that_breaks_the_contract() -> None:
    CourierFactory.register(AbleToyAdapter)
    with override_settings():
        found = [one for one in run_checks() if one.id == "couriers.E024"]
    assert found
    assert all("plug-in toy breaks the contract" in one.msg for one in found)
