"""Writes what must not be lost because the database restarts, such as a courier's answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection, transaction

from couriers.resilience.database import is_outage

T = TypeVar("T")

# How long the write of a courier's answer is repeated while the database does not answer.
MAX_DATABASE_WAIT = 15.0  # seconds
DATABASE_PAUSE = 0.25  # seconds between two tries


def write_committed(write: Callable[[], T]) -> T:
    """Run `write` in a transaction. Repeat it while the database cannot serve.

    A courier's answer must not be lost because PostgreSQL restarts. Writing it twice does no harm:
    if a commit succeeded but its acknowledgement was lost, nothing is unsettled any more.
    """
    deadline = time.monotonic() + MAX_DATABASE_WAIT
    while True:
        try:
            with transaction.atomic():
                return write()
        except (DatabaseError, InterfaceError) as error:
            over = time.monotonic() > deadline
            if over or connection.in_atomic_block or not is_outage(error):
                raise
            connection.close()
            time.sleep(DATABASE_PAUSE)
