"""Ends the wait for a PostgreSQL that hangs, for those who may not wait as long as others.

A server that is frozen, or behind a network that loses everything, answers neither a statement nor
a request to cancel it. Its socket is shut instead, as if the server had closed it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Shut the thread's open connection where the block has not ended after `seconds`.

    What waits for it then raises OperationalError, which `outage_of` takes for GONE. A connection
    that the block itself opens is waited for as its settings say.
    """
    if connection.connection is None or connection.connection.closed:
        yield
        return
    # A file of our own: the connection's may be another connection's once it was closed.
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as shared:
        timer = threading.Timer(seconds, _shut, [shared])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(shared: socket.socket) -> None:
    with suppress(OSError):  # it is closed: the block has just ended
        shared.shutdown(socket.SHUT_RDWR)
