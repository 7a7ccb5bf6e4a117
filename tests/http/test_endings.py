"""The class of every way that a call can end. Real sockets on loopback make the endings."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from couriers.contract.errors import CourierError, NotSent, Unknown
from couriers.http.outcomes import retry_after
from tests.support.small_courier import SmallClient, account_at
from tests.support.sockets import serve

pytestmark = pytest.mark.django_db


def error_of_call(url: str, settings: Any) -> CourierError:
    """Return the error of a tracking call to this URL."""
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "COURIERS": {"small": {"READ_TIMEOUT": 0.5, "CONNECT_TIMEOUT": 0.5}},
        "BREAKER_FAILURES": 1000,
    }
    account = account_at("http://127.0.0.1:9")
    account.base_url = url  # as it may have been stored before it was checked
    client = SmallClient(account)
    with pytest.raises(CourierError) as caught:
        client.ask()
    return caught.value


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_before_reading(connection: socket.socket) -> None:
    connection.recv(1, socket.MSG_PEEK)  # an earlier reset can fail the connect itself
    reset(connection)


def reset_after_reading(connection: socket.socket) -> None:
    connection.recv(65536)
    reset(connection)


def close_after_reading(connection: socket.socket) -> None:
    connection.recv(65536)


def never_answer(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(65536)


def truncated(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')


def byte_by_byte(beginning: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that sends an answer slowly, a few bytes at a time."""

    def send_slowly(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + beginning)
        for _ in range(40):
            threading.Event().wait(0.1)
            connection.sendall(piece)

    return send_slowly


def not_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"\x00\x01\x02 what?\r\n\r\n")


@pytest.mark.parametrize(
    "behaviour",
    [reset_before_reading, reset_after_reading, close_after_reading, never_answer, truncated,
     not_http],
)  # fmt: skip
def test_a_request_that_may_have_been_sent_is_unknown(behaviour: Any, settings: Any) -> None:
    with serve(behaviour) as url:
        assert type(error_of_call(url, settings)) is Unknown


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"X-Slow: ", b"a"),
        (b"Content-Length: 1000\r\n\r\n", b" "),
        (b"Connection: close\r\n\r\n", b" "),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_an_answer_that_arrives_byte_by_byte_ends_with_the_read_time_out(
    beginning: bytes, piece: bytes, settings: Any
) -> None:
    with serve(byte_by_byte(beginning, piece)) as url:
        started = time.monotonic()
        assert type(error_of_call(url, settings)) is Unknown
        # The read time-out is 0.5 seconds, the whole answer takes 4.
        assert time.monotonic() - started < 2


def test_a_reused_connection_has_the_whole_read_time_out_again(settings: Any) -> None:
    def slow_but_whole(connection: socket.socket) -> None:
        while connection.recv(65536):
            threading.Event().wait(0.3)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"small": {"READ_TIMEOUT": 0.5}}}
    with serve(slow_but_whole) as url:
        client = SmallClient(account_at(url))
        assert [client.ask() for _ in range(4)] == [{}] * 4


def test_a_request_that_never_left_is_not_sent(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid", "http://[::1"):
        assert type(error_of_call(url, settings)) is NotSent, url


def test_a_connect_time_out_is_not_sent(settings: Any) -> None:
    # No connection is accepted while the backlog is full: the handshake never ends.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        try:
            assert type(error_of_call(f"http://127.0.0.1:{address[1]}", settings)) is NotSent
        finally:
            for one in waiting:
                one.close()


def test_a_failed_tls_handshake_is_not_sent_or_unknown(settings: Any) -> None:
    with serve(not_http) as url:
        error = error_of_call(url.replace("http://", "https://"), settings)
    assert isinstance(error, (NotSent, Unknown))
    assert ssl.OPENSSL_VERSION


def test_cookies_of_one_account_are_not_sent_with_the_calls_of_another() -> None:
    requests = []

    def with_a_cookie(connection: socket.socket) -> None:
        requests.append(connection.recv(65536).lower())
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: SESSION=of-the-first; Path=/\r\n"
            b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
        )

    with serve(with_a_cookie) as url:
        for _ in range(2):
            SmallClient(account_at(url)).ask()
    assert [b"cookie" in request for request in requests] == [False, False]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("", 1),
        ("soon", 1),
        ("-5", 1),
        ("9" * 5000, 1),
        ("999999", 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600),
    ],
)
def test_retry_after_is_read_and_bounded(header: str, seconds: float) -> None:
    assert retry_after({"Retry-After": header}) == seconds
