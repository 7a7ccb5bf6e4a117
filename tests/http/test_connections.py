"""Each new connection is made to an address that was checked, whatever the name resolves to.

The names are resolved by a stand-in of the resolver; the servers are real.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from couriers.contract.errors import NotSent
from couriers.http import transport
from couriers.models import CourierAccount
from tests.support.small_courier import SmallClient, account_at
from tests.support.tls import server_context

pytestmark = pytest.mark.django_db

NAME = "courier.example"
Answers = list[list[str]]


@pytest.fixture(autouse=True)
def _no_kept_connections() -> None:
    transport.close_sessions()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answers]:
    """Have NAME resolve to these addresses, one list for each time; return what is left."""
    real = socket.getaddrinfo

    def set_up(*answers: list[str]) -> Answers:
        left = list(answers)

        def stand_in(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            addresses = left.pop(0)
            return [entry for a in addresses for entry in real(a, port, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", stand_in)
        return left

    return set_up


class Listener:
    """A server at 127.0.0.1 that answers every request with {}, and keeps what it was sent."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self.port = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
                with connection:
                    self._answer(connection)
            except ssl.SSLError:
                continue
            except OSError:
                return

    def _answer(self, connection: socket.socket) -> None:
        if self._context:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.requests.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    started = Listener()
    yield started
    started.close()


def client_at(url: str) -> SmallClient:
    """A client of an account that was stored with this URL before it was checked."""
    account = account_at("https://stored.example")
    CourierAccount.objects.filter(pk=account.pk).update(base_url=url)
    account.refresh_from_db()
    return SmallClient(account)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "0.0.0.0"],
)  # fmt: skip
def test_a_name_that_leads_to_a_private_address_is_not_called(
    address: str, resolve: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"DEVELOPMENT": False, "BREAKER_FAILURES": 1}
    resolve([address])
    client = client_at(f"https://{NAME}")
    with pytest.raises(NotSent) as caught:
        client.ask()
    assert str(caught.value).count("the host's address is not one that may be called") == 1
    assert address not in str(caught.value)
    # Operators find the address in the log, and the account among the open circuits.
    assert "courier_address_refused" in caplog.text
    with pytest.raises(NotSent, match="calls are held back"):
        client.ask()


def test_loopback_is_not_called_outside_of_development(listener: Listener, settings: Any) -> None:
    client = client_at(f"http://127.0.0.1:{listener.port}")
    assert client.ask() == {}
    settings.SHIPCROWD = settings.SHIPCROWD | {"DEVELOPMENT": False}
    with pytest.raises(NotSent, match="not one that may be called"):
        client.ask()
    assert len(listener.requests) == 1


def test_the_connection_goes_to_the_address_that_was_checked(
    listener: Listener, resolve: Any
) -> None:
    left = resolve(["127.0.0.1"], ["10.0.0.1"])
    assert client_at(f"http://{NAME}:{listener.port}").ask() == {}
    assert left == [["10.0.0.1"]]  # the name was resolved once
    assert f"Host: {NAME}:{listener.port}".encode() in listener.requests[0]


def test_each_new_connection_resolves_the_name_again(listener: Listener, resolve: Any) -> None:
    resolve(["127.0.0.1"], ["10.0.0.1"])
    client = client_at(f"http://{NAME}:{listener.port}")
    assert client.ask() == {}
    with pytest.raises(NotSent, match="not one that may be called"):
        client.ask()


def test_a_refused_or_silent_address_is_passed_over(listener: Listener, resolve: Any) -> None:
    resolve(["10.0.0.1", "::1", "127.0.0.1"])
    assert client_at(f"http://{NAME}:{listener.port}").ask() == {}


def test_plain_http_leads_to_this_machine_alone(resolve: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"ALLOW_PRIVATE_COURIERS": True}
    resolve(["93.184.216.34"], ["10.0.0.1"])
    for _ in range(2):
        with pytest.raises(NotSent, match="not one that may be called"):
            client_at(f"http://{NAME}").ask()


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "no-such-host.invalid"])
def test_a_name_that_cannot_be_resolved_is_not_sent(name: str) -> None:
    with pytest.raises(NotSent, match="could not connect"):
        client_at(f"https://{name}").ask()


def test_tls_is_asked_for_the_name(resolve: Any, tmp_path: Path) -> None:
    names: list[str | None] = []
    context = server_context(tmp_path, NAME)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    listener = Listener(context)
    resolve(["127.0.0.1"])
    try:
        with pytest.raises(NotSent, match="the certificate was refused"):  # nobody signed it
            client_at(f"https://{NAME}:{listener.port}").ask()
    finally:
        listener.close()
    assert (names, listener.requests) == ([NAME], [])
