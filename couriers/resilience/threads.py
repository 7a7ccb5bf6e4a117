"""Threads that close their own database connections: a pool that works a feed off, and calls
made side by side.

Django keeps a connection for each thread and closes none when the thread ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
R = TypeVar("R")


def work_off(
    take: Callable[[], T | None],
    work: Callable[[T], None],
    *,
    threads: int,
    name: str,
    stop: threading.Event | None = None,
) -> None:
    """Call `work` with what `take` hands out, in several threads, until `take` answers None.

    `take` is called by several threads at once; `feed_of` makes one of items. `stop` ends the
    work early: once it is set, nothing more is taken and what was begun is finished. It is set
    here when a thread fails or the caller is interrupted. The first failure, in the order of the
    threads, is raised.
    """
    stopped = threading.Event() if stop is None else stop

    def run() -> None:
        try:
            while not stopped.is_set() and (item := take()) is not None:
                work(item)
        except BaseException:
            stopped.set()
            raise

    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        try:
            for task in [pool.submit(_with_own_connections, run) for _ in range(threads)]:
                task.result()
        except BaseException:
            stopped.set()
            raise


def feed_of(items: Iterable[T]) -> Callable[[], T | None]:
    """A feed for `work_off` that hands out the items in order, and None at their end.

    The items are made in the threads that take them, by one thread at a time.
    """
    iterator, lock = iter(items), threading.Lock()

    def take() -> T | None:
        with lock:
            return next(iterator, None)

    return take


def side_by_side(calls: Sequence[Callable[[], R]], *, name: str) -> list[R]:
    """Make the calls at once, each in a thread of its own, and return their answers in order.

    The first failure, in the order of the calls, is raised once all have ended.
    """
    with ThreadPoolExecutor(max(1, len(calls)), thread_name_prefix=name) as pool:
        waiting = [pool.submit(_with_own_connections, call) for call in calls]
    return [one.result() for one in waiting]


def _with_own_connections(call: Callable[[], R]) -> R:
    try:
        return call()
    finally:
        connections.close_all()
