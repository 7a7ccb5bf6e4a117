"""Thread pools: each item is worked on, failures are raised, no connection is left open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from couriers.resilience.threads import call_in_parallel, run_in_threads, take_from
from shipcrowd.embedded.processes import wait_until
from tests.support.threads import open_sessions

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_item_is_worked_on_once() -> None:
    done: list[int] = []
    run_in_threads(take_from(range(200)), done.append, threads=8, name="test")
    assert sorted(done) == list(range(200))


def test_a_failing_thread_stops_the_others_and_its_failure_is_raised() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 5:
            raise KeyError("five")
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(KeyError, match="five"):
        run_in_threads(take_from(range(1000)), work, threads=4, name="test")
    assert len(done) < 20


def test_no_item_is_taken_after_the_stop() -> None:
    stop = threading.Event()
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 3:
            stop.set()

    run_in_threads(take_from(range(100)), work, threads=1, name="test", stop=stop)
    assert done == [0, 1, 2, 3]


def test_parallel_calls_overlap_and_return_in_order() -> None:
    together = threading.Barrier(3, timeout=10)

    def call(number: int) -> Callable[[], int]:
        def answer() -> int:
            together.wait()
            return number

        return answer

    assert call_in_parallel([call(number) for number in range(3)], name="test") == [0, 1, 2]
    assert call_in_parallel([], name="test") == []


def test_the_first_failure_of_parallel_calls_is_raised_once_all_have_ended() -> None:
    ended: list[str] = []

    def slow() -> None:
        time.sleep(0.1)
        ended.append("slow")

    def failing() -> None:
        raise KeyError("first")

    def failing_too() -> None:
        raise ValueError("second")

    with pytest.raises(KeyError, match="first"):
        call_in_parallel([slow, failing, failing_too], name="test")
    assert ended == ["slow"]


@pytest.mark.parametrize("fails", [False, True])
def test_no_thread_leaves_its_connection_open(fails: bool) -> None:
    before = open_sessions()

    def ask(_: Any = None) -> None:
        open_sessions()
        if fails:
            raise KeyError

    for run in (
        lambda: run_in_threads(take_from(range(40)), ask, threads=4, name="test"),
        lambda: call_in_parallel([ask] * 4, name="test"),
    ):
        if fails:
            with pytest.raises(KeyError):
                run()
        else:
            run()
    assert wait_until(lambda: open_sessions() <= before, 5)


def test_each_thread_has_the_context_of_the_caller_and_none_of_the_others() -> None:
    trace: ContextVar[str] = ContextVar("trace")
    trace.set("of the caller")
    seen = []

    def work(name: str) -> None:
        seen.append(trace.get())
        trace.set(name)

    run_in_threads(take_from(["a", "b"]), work, threads=1, name="x")
    run_in_threads(take_from(["c"]), work, threads=1, name="x")
    assert (seen, trace.get()) == (["of the caller", "a", "of the caller"], "of the caller")
