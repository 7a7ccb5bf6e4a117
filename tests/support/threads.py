"""Many threads that do the same at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def run_at_once(work: Callable[[], T], threads: int) -> list[T]:
    """Call `work` in so many threads, which start together; returns what the calls returned.

    Raises what the first failed call raised, once all have ended.
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
