"""Interleavings of two callers, a crash and a late event, driven step by step.

Callers run in threads that stop at each step of the protocol until the machine advances them.
Hypothesis chooses the order.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import threading
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from couriers.booking.leases import expire_leases
from couriers.booking.protocol import BookingResult, book
from couriers.booking.steps import booking_step
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.platform_errors import PlatformError
from couriers.contract.types import Booking
from couriers.models import Shipment
from couriers.operations.doubt import release
from couriers.tracking.confirmation import apply_creation
from tests.support.drafts import created_event, draft_with
from tests.support.flags import open_flags

# How the courier behaves in a call: it books and answers; it books, but the answer is lost; the
# request is lost; or it refuses.
MODES = ("answers", "answer lost", "request lost", "refuses")
# A caller that has not reached its next step after this time waits for a lock of the database.
BLOCKED_AFTER = 0.05  # seconds
ENDED = "ended"


class Killed(BaseException):
    """Ends a caller's thread like SIGKILL ends a process: uncommitted changes are lost."""


class Caller:
    """A request that books, one step at a time."""

    current = threading.local()

    def __init__(self, machine: BookingMachine, key: str, mode: str) -> None:
        self.mode = mode
        self.age = 0.0  # seconds that have passed since it began, by the machine's time
        self.is_alive = True
        self.result: BookingResult | BaseException | None = None
        self._machine = machine
        self._key = key
        self._killed = False
        self._arrived: queue.Queue[str] = queue.Queue()
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    def advance(self) -> None:
        """Let the caller run to its next step."""
        self._go.release()
        self._wait()

    def crash(self) -> None:
        """End the caller at its current step."""
        self._killed = True
        self.advance()

    def at_step(self, step: str) -> None:
        """Wait at a step. This is called in the caller's thread."""
        self._arrived.put(step)
        self._go.acquire()
        if self._killed:
            raise Killed

    def _wait(self) -> None:
        with contextlib.suppress(queue.Empty):
            if self._arrived.get(timeout=BLOCKED_AFTER) == ENDED:
                self.is_alive = False

    def _run(self) -> None:
        Caller.current.caller = self
        try:
            self.result = book(self._machine.company, self._machine.draft, key=self._key)
        except BaseException as error:  # noqa: BLE001 - looked at by the machine
            self.result = error
        finally:
            connections.close_all()
            self._arrived.put(ENDED)


@contextlib.contextmanager
def unless_locked() -> Iterator[None]:
    """Skip the block if a caller that waits at a step has locked the row."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '30ms'")
    try:
        yield
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _on_step(*, step: str, **_: Any) -> None:
    caller = getattr(Caller.current, "caller", None)
    if caller is not None:
        caller.at_step(step)


class BookingMachine(RuleBasedStateMachine):
    """Two callers, one order."""

    company: ClassVar[Any]
    account: ClassVar[Any]
    toy: ClassVar[Any]
    operator: ClassVar[Any]
    # How a caller's booking may end, and how many orders Hypothesis tries.
    results: ClassVar[tuple[type, ...]] = (BookingResult, PlatformError, Rejected, Killed)
    examples: ClassVar[int] = 60

    def __init__(self) -> None:
        super().__init__()
        self.draft = draft_with(order_number=f"M-{uuid.uuid4().hex[:12]}")
        self.callers: list[Caller] = []
        self.crashed = False
        self.at_courier: list[str] = []
        self.sent_events: set[str] = set()
        type(self).toy.on_create = staticmethod(self._courier)

    def _courier(self, request: Any) -> Booking | None:
        caller = getattr(Caller.current, "caller", None)
        mode = caller.mode if caller else "answers"
        if request.order_number != self.draft.order_number:
            return None
        if mode == "request lost":
            raise Unknown("reset")
        if mode == "refuses":
            raise Rejected("no")
        tracking_id = f"T-{uuid.uuid4().hex[:12]}"
        self.at_courier.append(tracking_id)
        if mode == "answer lost":
            raise Unknown("read time-out")
        return Booking(tracking_id=tracking_id)

    @precondition(lambda self: len(self.callers) < 2)
    @rule(key=st.sampled_from(["first", "second"]), mode=st.sampled_from(MODES))
    def a_caller_starts(self, key: str, mode: str) -> None:
        self.callers.append(Caller(self, f"{key}-{self.draft.order_number}", mode))

    # Whether a rule can do anything depends on threads and locks, so each rule checks it itself. A
    # precondition that depends on time would make Hypothesis' choices impossible to repeat.

    @rule(which=st.integers(0, 1))
    def a_caller_goes_on(self, which: int) -> None:
        alive = [c for c in self.callers if c.is_alive]
        if alive:
            alive[which % len(alive)].advance()

    @rule(which=st.integers(0, 1))
    def a_caller_dies(self, which: int) -> None:
        alive = [c for c in self.callers if c.is_alive]
        if alive and not self.crashed:
            self.crashed = True
            alive[which % len(alive)].crash()

    @rule()
    def the_lease_runs_out(self) -> None:
        with unless_locked():
            self._shipments().filter(status="booking").update(
                lease_expires_at=timezone.now() - dt.timedelta(seconds=1)
            )
            expire_leases()

    @rule()
    def the_couriers_event_comes(self) -> None:
        tracking_id = next((t for t in self.at_courier if t not in self.sent_events), None)
        if tracking_id is None:
            return
        with unless_locked():
            apply_creation(self.account, created_event(self.draft.order_number, tracking_id))
            self.sent_events.add(tracking_id)

    @invariant()
    def the_courier_never_has_it_twice(self) -> None:
        assert len(self.at_courier) <= 1

    def teardown(self) -> None:
        """Let the callers finish, settle doubts, book once more, and check the result."""
        while any(caller.is_alive for caller in self.callers):
            for caller in self.callers:
                caller.advance()
        self.the_lease_runs_out()
        self.settle_doubts()
        self._book_once_more()
        self.the_courier_never_has_it_twice()
        (live,) = self._shipments().exclude(status="failed")
        assert (live.status, [live.tracking_id]) == ("booked", self.at_courier)
        assert not open_flags(live)
        for caller in self.callers:
            assert isinstance(caller.result, self.results), caller.result
            if isinstance(caller.result, BookingResult) and caller.result.status_code == 201:
                assert live.tracking_id.encode() in caller.result.body

    def settle_doubts(self) -> None:
        """Settle every doubt: by the courier's events, then by an operator."""
        while set(self.at_courier) - self.sent_events:
            self.the_couriers_event_comes()
        for shipment in self._shipments().filter(status="in_doubt"):
            shipment.calls.update(started_at=timezone.now() - dt.timedelta(hours=1))
            release(shipment.pk, actor=self.operator, reason="not in the panel")

    def _book_once_more(self) -> None:
        try:
            book(self.company, self.draft, key=f"first-{self.draft.order_number}")
        except PlatformError:
            # The second caller's booking, under its own key.
            book(self.company, self.draft, key=f"second-{self.draft.order_number}")

    def _shipments(self) -> Any:
        return Shipment.objects.filter(order_number=self.draft.order_number)


def run_machine(machine: type[BookingMachine], account: Any, toy: Any) -> None:
    """Run the machine with Hypothesis' choices for the account of the toy courier."""
    machine.company, machine.account, machine.toy = account.company, account, toy
    machine.operator = get_user_model().objects.create_user("operator")
    booking_step.connect(_on_step)
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=machine.examples,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        booking_step.disconnect(_on_step)
