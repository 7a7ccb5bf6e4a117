"""Sending tasks without a long wait for a broker that hangs, whatever the project's settings are.

A worker waits long for its broker, which must not lose its connection for a hiccup. A request must
not wait. So tasks are sent on connections of their own, and after a failure none is sent for some
seconds: PostgreSQL has the work, and sweepers find it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task, current_app
from kombu import Producer
from kombu.exceptions import OperationalError as BrokerUnavailable
from kombu.exceptions import TimeoutError as NoConnectionFree
from kombu.pools import producers

from couriers.resilience.outage_memory import OutageMemory

SOCKET_TIMEOUT = 0.5  # seconds that a Redis as the broker is waited for
# Seconds without another try after a failure.
PAUSE = 3.0
_OPTIONS = {
    "socket_timeout": SOCKET_TIMEOUT,
    "socket_connect_timeout": SOCKET_TIMEOUT,
    "max_retries": 0,
}

_memory = OutageMemory(PAUSE)


def send(task: Task[Any, Any], arguments: tuple[Any, ...] = (), **options: Any) -> None:
    """Send a task. Raises BrokerUnavailable within about a second."""
    with publishing() as producer:
        task.apply_async(args=arguments, retry=False, producer=producer, **options)


@contextmanager
def publishing() -> Iterator[Producer | None]:
    """Yield a producer for `apply_async`, or None where tasks run in the request.

    Raises BrokerUnavailable if the broker cannot be reached, or has just failed.
    """
    if current_app.conf.task_always_eager:
        yield None
        return
    if not _memory.may_try():
        raise BrokerUnavailable("the broker has just failed")
    try:
        with _producers().acquire(block=True, timeout=SOCKET_TIMEOUT) as producer:
            yield producer
    except (BrokerUnavailable, NoConnectionFree, OSError) as error:
        _memory.failed()
        raise BrokerUnavailable(str(error)) from error
    _memory.succeeded()


def forget_outage() -> None:
    """Let the next task be sent, even if the broker has just failed."""
    _memory.forget()


def _producers() -> Any:
    """Return this process' pool of producers; kombu empties it in a forked process."""
    connection = current_app.connection_for_write()
    if connection.transport.driver_type == "redis":
        connection = current_app.connection_for_write(transport_options=_OPTIONS)
    return producers[connection]
