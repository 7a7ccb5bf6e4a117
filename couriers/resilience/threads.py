"""Thread pools whose threads close their database connections when they end.

Django opens a connection for each thread and does not close it when the thread ends.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
R = TypeVar("R")


def run_in_threads(
    take: Callable[[], T | None],
    work: Callable[[T], None],
    *,
    threads: int,
    name: str,
    stop: threading.Event | None = None,
) -> None:
    """Call `work` with each item that `take` returns, in several threads, until it returns None.

    `take` must be thread-safe; `take_from` makes one from items. Once `stop` is set, no more items
    are taken, and the work under way is finished. `stop` is also set when a thread fails or the
    caller is interrupted. The threads belong to the caller's work: their log lines have its id, and
    their spans its trace. Raises the first failure, in the order of the threads.
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
            for future in [_submit(pool, run) for _ in range(threads)]:
                future.result()
        except BaseException:
            stopped.set()
            raise


def take_from(items: Iterable[T]) -> Callable[[], T | None]:
    """Return a `take` for `run_in_threads` that returns the items in order, and None at the end.

    It may be called in several threads. One thread at a time advances `items`.
    """
    iterator, lock = iter(items), threading.Lock()

    def take() -> T | None:
        with lock:
            return next(iterator, None)

    return take


def call_in_parallel(calls: Sequence[Callable[[], R]], *, name: str) -> list[R]:
    """Make the calls at once, each in its own thread, and return their results in order.

    They belong to the caller's work: they have its deadline, and its place and longest waits.

    Raises the first failure, in the order of the calls, once all calls have ended.
    """
    with ThreadPoolExecutor(max(1, len(calls)), thread_name_prefix=name) as pool:
        futures = [_submit(pool, call) for call in calls]
    return [future.result() for future in futures]


def call_for(seconds: float, calls: Sequence[Callable[[], R]], *, name: str) -> list[Future[R]]:
    """Make the calls at once, each in its own thread, and wait for at most so many seconds.

    Returns their futures in order. A call whose future is not done by then goes on in its thread,
    and nobody waits for it.
    """
    pool = ThreadPoolExecutor(max(1, len(calls)), thread_name_prefix=name)
    futures = [_submit(pool, call) for call in calls]
    pool.shutdown(wait=False)
    wait(futures, timeout=seconds)
    return futures


def _submit(pool: ThreadPoolExecutor, call: Callable[[], R]) -> Future[R]:
    """Have a thread make the call in a copy of this thread's context."""
    return pool.submit(contextvars.copy_context().run, _then_close_connections, call)


def _then_close_connections(call: Callable[[], R]) -> R:
    try:
        return call()
    finally:
        connections.close_all()
