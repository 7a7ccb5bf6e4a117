"""Several calls at once, where one after the other would be too slow for a person to wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def side_by_side(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """The answers in the order of the calls. The first failure, in that order, is raised.

    Each runs in a thread with database connections of its own, which are closed with it.
    """
    with ThreadPoolExecutor(len(calls), thread_name_prefix="ekart") as pool:
        waiting = [pool.submit(_alone, call) for call in calls]
    return [one.result() for one in waiting]


def _alone(call: Callable[[], Any]) -> Any:
    try:
        return call()
    finally:
        connections.close_all()
