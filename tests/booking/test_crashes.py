"""A process is killed while it books, at every line between reserve and settle.

The booking runs in a child process against the sandbox, which keeps its state when the child dies.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from couriers.booking import protocol, settling
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.booking.steps import Step, booking_step
from couriers.contract.platform_errors import BookingInFlight
from couriers.contract.receiver import CourierEvent, Topic
from couriers.models import Company, CourierAccount, Shipment, call_audit
from couriers.operations.doubt import release
from couriers.tracking.confirmation import apply_creation
from sandbox.process import SandboxProcess
from tests.support.drafts import draft_with
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory
from tests.support.flags import open_flags
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db(transaction=True)


sandbox = sandbox_fixture("--hold", scope="module")


@pytest.fixture
def company(sandbox: SandboxProcess) -> Company:
    company = CompanyFactory()
    WarehouseFactory(company=company)
    CourierAccountFactory(
        company=company,
        base_url=sandbox.url,
        limits={"create_shipment": {"count": 1000, "window": 1}},
    )
    book(company, draft_with(courier="ekart", order_number=f"WARM-UP-{company.pk}"))
    return company


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process; return the signal that ended it, 0 without a signal."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def try_again(company: Company, sandbox: SandboxProcess, number: str, operator: Any) -> str:
    """Do what a storefront and an operator do after a crash; return how it was settled.

    Then checks that the order is booked exactly once, here and at the courier.
    """
    draft = draft_with(courier="ekart", order_number=number)
    before = at_courier(sandbox, number)
    assert len(before) <= 1
    how = "replayed"
    try:
        result = book(company, draft)
        if not before:
            how = "nothing had happened"
    except BookingInFlight:
        Shipment.objects.filter(order_number=number).update(
            lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
        )
        assert expire_leases() == 1
        assert book(company, draft).status_code == 202
        assert at_courier(sandbox, number) == before
        if before:
            how = "settled by the courier's event"
            event = CourierEvent(Topic.SHIPMENT_CREATED, before[0], number, waybill="W")
            apply_creation(CourierAccount.objects.get(company=company), event)
        else:
            how = "released by an operator"
            shipment = Shipment.objects.get(order_number=number)
            shipment.calls.update(started_at=timezone.now() - dt.timedelta(hours=1))
            release(shipment.pk, actor=operator, reason="not in the courier's panel")
        result = book(company, draft)
    assert result.status_code == 201
    shipment = Shipment.objects.get(order_number=number)
    assert (shipment.status, [shipment.tracking_id]) == ("booked", at_courier(sandbox, number))
    assert not open_flags(shipment)
    return how


def at_courier(sandbox: SandboxProcess, number: str) -> list[str]:
    return [s["tracking_id"] for s in sandbox.shipments() if s["order_number"] == number]


EXPECTED = {
    Step.RESERVING: "nothing had happened",
    Step.RESERVED: "released by an operator",
    Step.CALLING: "released by an operator",
    Step.CALLED: "settled by the courier's event",
    Step.SETTLING: "settled by the courier's event",
    Step.SETTLED: "replayed",
}


@pytest.mark.parametrize("step", Step)
def test_a_crash_at_each_step_is_settled_as_expected(
    company: Company, sandbox: SandboxProcess, step: Step, admin_user: Any
) -> None:
    number = f"STEP-{step}"

    def work() -> None:
        def hook(*, step: Step, **_: Any) -> None:
            if step == fatal:
                die()

        fatal = step
        booking_step.connect(hook)
        book(company, draft_with(courier="ekart", order_number=number))

    assert in_child(work) == signal.SIGKILL
    assert try_again(company, sandbox, number, admin_user) == EXPECTED[step]


# The lines between the first and the last commit: these functions' own.
FUNCTIONS = (
    protocol._reserve, protocol._start_attempt, protocol._new_call, protocol._call_and_settle,
    protocol._call_courier, settling.settle_booked, settling.mark_booked, settling._write_committed,
    call_audit.end_call,
)  # fmt: skip
CODES: set[CodeType] = {function.__code__ for function in FUNCTIONS} | {
    inner
    for function in FUNCTIONS
    for inner in function.__code__.co_consts
    if isinstance(inner, CodeType) and not inner.co_name.startswith("<")
}


def traced(work: Callable[[], object], on_line: Callable[[str], None]) -> None:
    """Run `work`; call `on_line` with `function:line number` before each line of CODES."""

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            on_line(f"{frame.f_code.co_name}:{frame.f_lineno}")
        return inside

    sys.settrace(lambda frame, event, _: inside if frame.f_code in CODES else None)
    try:
        work()
    finally:
        sys.settrace(None)


@pytest.mark.slow
def test_a_crash_at_any_line_between_reserve_and_settle_books_the_order_once(
    company: Company, sandbox: SandboxProcess, admin_user: Any, tmp_path: Any
) -> None:
    seen = tmp_path / "lines"

    def listing() -> None:
        with seen.open("w", buffering=1) as file:
            traced(
                lambda: book(company, draft_with(courier="ekart", order_number="LINES")),
                lambda line: print(line, file=file),
            )

    assert in_child(listing) == 0
    lines = list(dict.fromkeys(seen.read_text().split()))
    assert {line.split(":")[0] for line in lines} == {code.co_name for code in CODES}

    ends = set()
    for place, fatal in enumerate(lines):
        number = f"LINE-{place}"

        def work(fatal: str = fatal, number: str = number) -> None:
            traced(
                lambda: book(company, draft_with(courier="ekart", order_number=number)),
                lambda line: die() if line == fatal else None,
            )

        assert in_child(work) == signal.SIGKILL, fatal
        ends.add(try_again(company, sandbox, number, admin_user))
    assert ends >= set(EXPECTED.values()) - {"replayed"}
    assert sandbox.state()["duplicates"] == 0
