"""Sending tasks without a long wait for a broker that hangs, whatever the project's settings are.

A worker waits long for its broker, which must not lose its connection for a hiccup. A request must
not wait. So tasks are sent on connections of their own, and after a failure none is sent for some
seconds: PostgreSQL has the work, and sweepers find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Task, current_app
from kombu import Connection, Producer
from kombu.exceptions import ChannelError
from kombu.exceptions import OperationalError as BrokerUnavailable
from kombu.exceptions import TimeoutError as NoConnectionFree
from kombu.pools import producers
from redis import Redis

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


def send_named(name: str, arguments: tuple[Any, ...] = ()) -> None:
    """Send the task of this name, which a module of tasks registers. Raises as `send` does."""
    if name not in current_app.tasks:
        current_app.loader.import_default_modules()
    send(current_app.tasks[name], arguments)


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


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a queue. `oldest` is its next message, None where the broker shows none."""

    count: int
    oldest: bytes | None = None


def waiting(queues: Iterable[str]) -> dict[str, Waiting]:
    """Return what waits in each queue. Raises BrokerUnavailable within about a second.

    Only a Redis shows its messages. Where tasks run in the request, nothing is returned.
    """
    with publishing() as producer:
        if producer is None or producer.connection is None:
            return {}
        try:
            return {queue: _waiting(producer.channel, queue) for queue in queues}
        except (
            *producer.connection.connection_errors,
            *producer.connection.channel_errors,
        ) as error:
            raise BrokerUnavailable(str(error)) from error


def _waiting(channel: Any, queue: str) -> Waiting:
    client = getattr(channel, "client", None)
    if not isinstance(client, Redis):
        try:
            return Waiting(channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:  # nobody has sent anything to it
            return Waiting(0)
    # Kombu's client adds its prefix to some commands, which do not include LINDEX.
    prefix = getattr(client, "global_keyprefix", "")
    oldest: Any = client.lindex(f"{prefix}{queue}", -1)
    return Waiting(client.llen(queue), oldest or b"")


def is_reachable() -> bool:
    """Whether the broker takes a new connection, waited for as `send` waits."""
    if current_app.conf.task_always_eager:
        return True
    try:
        with _connection() as connection:
            connection.ensure_connection(max_retries=0)
    except (BrokerUnavailable, OSError):
        return False
    return True


def forget_outage() -> None:
    """Let the next task be sent, even if the broker has just failed."""
    _memory.forget()


def _producers() -> Any:
    """Return this process' pool of producers; kombu empties it in a forked process."""
    return producers[_connection()]


def _connection() -> Connection:
    """Return a connection to the broker that is not yet open."""
    connection = current_app.connection_for_write()
    if connection.transport.driver_type == "redis":
        connection = current_app.connection_for_write(transport_options=_OPTIONS)
    return connection
