"""Threads that start together, and the database sessions that threads leave open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")


def run_at_once(work: Callable[[], T], threads: int) -> list[T]:
    """Call `work` in this number of threads, which start together; return the results.

    Raises the first failure once all calls have ended.
    """
    barrier = threading.Barrier(threads)

    def run() -> T:
        barrier.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        calls = [pool.submit(run) for _ in range(threads)]
    return [call.result() for call in calls]


def open_sessions() -> int:
    """Return the number of sessions of the test's database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
