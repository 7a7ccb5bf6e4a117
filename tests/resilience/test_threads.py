"""Thread pools: everything is worked off, failures are raised, no connection is left open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from couriers.resilience.threads import feed_of, side_by_side, work_off
from shipcrowd.embedded.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def sessions() -> int:
    """How many sessions the test's database has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_everything_that_is_handed_out_is_worked_on_once() -> None:
    done: list[int] = []
    work_off(feed_of(range(200)), done.append, threads=8, name="test")
    assert sorted(done) == list(range(200))


def test_a_failing_thread_stops_the_others_and_its_failure_is_raised() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 5:
            raise KeyError("five")
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(KeyError, match="five"):
        work_off(feed_of(range(1000)), work, threads=4, name="test")
    assert len(done) < 20


def test_a_stopped_feed_hands_out_no_more() -> None:
    stop = threading.Event()
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 3:
            stop.set()

    work_off(feed_of(range(100)), work, threads=1, name="test", stop=stop)
    assert done == [0, 1, 2, 3]


def test_calls_side_by_side_overlap_and_answer_in_order() -> None:
    together = threading.Barrier(3, timeout=10)

    def call(number: int) -> Callable[[], int]:
        def answer() -> int:
            together.wait()
            return number

        return answer

    assert side_by_side([call(number) for number in range(3)], name="test") == [0, 1, 2]
    assert side_by_side([], name="test") == []


def test_the_first_failure_of_calls_side_by_side_is_raised_once_all_have_ended() -> None:
    ended: list[str] = []

    def slow() -> None:
        time.sleep(0.1)
        ended.append("slow")

    def failing() -> None:
        raise KeyError("first")

    def failing_too() -> None:
        raise ValueError("second")

    with pytest.raises(KeyError, match="first"):
        side_by_side([slow, failing, failing_too], name="test")
    assert ended == ["slow"]


@pytest.mark.parametrize("fails", [False, True])
def test_no_thread_leaves_its_connection_open(fails: bool) -> None:
    before = sessions()

    def ask(_: Any = None) -> None:
        sessions()
        if fails:
            raise KeyError

    for run in (
        lambda: work_off(feed_of(range(40)), ask, threads=4, name="test"),
        lambda: side_by_side([ask] * 4, name="test"),
    ):
        if fails:
            with pytest.raises(KeyError):
                run()
        else:
            run()
    assert wait_until(lambda: sessions() <= before, 5)
