"""A process is killed while it books, at every line between reserve and settle.

The booking runs in a child process against the sandbox, which keeps its state when the child dies.
A process that books a spreadsheet is killed half-way, too.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from couriers.booking import committed, protocol, reserving, settling
from couriers.booking.leases import expire_leases
from couriers.booking.protocol import book
from couriers.booking.steps import Step, booking_step
from couriers.contract.platform_errors import BookingInFlight
from couriers.contract.receiver import CourierEvent, Topic
from couriers.models import Company, CourierAccount, Shipment, call_audit
from couriers.operations.doubt import release
from couriers.tracking.confirmation import apply_creation
from sandbox.process import SandboxProcess
from tests.support.commands import run_json
from tests.support.drafts import draft_with
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory
from tests.support.flags import open_flags
from tests.support.sandboxes import sandbox_fixture
from tests.support.spreadsheets import write_orders
from tests.support.worker import ROOT, own_servers, wait_for

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
        end_leases()
        assert expire_leases() == 1
        assert book(company, draft).status_code == 202
        assert at_courier(sandbox, number) == before
        how = settle_doubt(company, sandbox, number, operator)
        result = book(company, draft)
    assert result.status_code == 201
    shipment = Shipment.objects.get(order_number=number)
    assert (shipment.status, [shipment.tracking_id]) == ("booked", at_courier(sandbox, number))
    assert not open_flags(shipment)
    return how


def end_leases() -> None:
    """Let the leases of all bookings run out, as they do after some minutes."""
    Shipment.objects.filter(status="booking").update(
        lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
    )


def settle_doubt(company: Company, sandbox: SandboxProcess, number: str, operator: Any) -> str:
    """Settle an order that is in doubt by the courier's event, else by hand; return how."""
    if booked := at_courier(sandbox, number):
        event = CourierEvent(Topic.SHIPMENT_CREATED, booked[0], number, waybill="W")
        apply_creation(CourierAccount.objects.get(company=company), event)
        return "settled by the courier's event"
    shipment = Shipment.objects.get(order_number=number)
    shipment.calls.update(started_at=timezone.now() - dt.timedelta(hours=1))
    release(shipment.pk, actor=operator, reason="not in the courier's panel")
    return "released by an operator"


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
    reserving._reserve_first, reserving.start_attempt, reserving.new_call,
    protocol.call_and_settle, protocol.call_courier, protocol._call_before,
    settling.settle_booked, settling.mark_booked, committed.write_committed, call_audit.end_call,
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


RUN = [f"RUN-{n}" for n in range(12)]


@pytest.mark.slow
def test_a_run_of_a_spreadsheet_that_is_killed_and_run_again_books_each_order_once(
    company: Company, sandbox: SandboxProcess, admin_user: Any, tmp_path: Path
) -> None:
    path = write_orders(tmp_path / "orders.csv", *({"order_number": number} for number in RUN))
    sandbox.set_faults(("create_shipment", "slow", 1.0))
    run = start_run(company, path)
    wait_for(lambda: len(booked_of_run(sandbox)) >= 4)
    # The courier books the next orders and answers none of them.
    sandbox.set_faults(("create_shipment", "timeout_after", 1.0))
    wait_for(lambda: is_without_answer(dt.timedelta(seconds=2)))
    run.kill()
    assert run.wait() == -signal.SIGKILL
    time.sleep(1)  # the courier ends the calls that it has
    sandbox.set_faults()
    cut = set(Shipment.objects.filter(status="booking").values_list("order_number", flat=True))
    assert cut
    assert 4 <= len(booked_of_run(sandbox)) < len(RUN)

    path = path.rename(tmp_path / "renamed.csv")
    end_leases()
    first = run_again(company, path, code=3)
    assert {number for number in RUN if first[number]["outcome"] == "in_doubt"} == cut
    assert {first[number]["outcome"] for number in set(RUN) - cut} == {"booked", "already_booked"}
    for number in cut:
        settle_doubt(company, sandbox, number, admin_user)

    second, third = (run_again(company, path) for _ in range(2))
    assert {row["outcome"] for row in third.values()} == {"already_booked"}
    assert identities(third) == identities(second)
    same = [number for number in RUN if second[number]["outcome"] == "already_booked"]
    assert {number: third[number] for number in same} == {n: second[n] for n in same}
    assert len(same) >= len(RUN) - len(cut)
    assert sorted(booked_of_run(sandbox)) == sorted(RUN)
    assert {number: row["tracking_id"] for number, row in third.items()} == {
        number: at_courier(sandbox, number)[0] for number in RUN
    }


def is_without_answer(duration: dt.timedelta) -> bool:
    """Whether a booking has been under way for longer than that."""
    since = timezone.now() - duration
    return Shipment.objects.filter(status="booking", created_at__lt=since).exists()


def start_run(company: Company, path: Path) -> subprocess.Popen[bytes]:
    """Start `manage.py book_orders` on the test's own database."""
    servers = own_servers()
    environment = os.environ | {
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "manage.py", "book_orders", str(path), "--company", company.slug,
         "--courier", "ekart", "--workers", "3"],
        env=environment,
        cwd=ROOT,
    )  # fmt: skip


def run_again(company: Company, path: Path, code: int = 0) -> dict[str, dict[str, str]]:
    """Book the file; return the rows of the report by order number."""
    report = path.with_name("report.csv")
    run_json("book_orders", str(path), "--company", company.slug, "--courier", "ekart",
             "--report", str(report), code=code)  # fmt: skip
    with report.open(newline="") as file:
        rows = {row["order_number"]: row for row in csv.DictReader(file)}
    assert list(rows) == RUN
    return rows


def identities(rows: dict[str, dict[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return what a report says of each shipment."""
    columns = ("courier", "tracking_id", "shipment_id")
    return {number: tuple(row[column] for column in columns) for number, row in rows.items()}


def booked_of_run(sandbox: SandboxProcess) -> list[str]:
    numbers = [shipment["order_number"] for shipment in sandbox.shipments()]
    return [number for number in numbers if number in RUN]
