"""Calls to merchants' endpoints, which nobody vouches for. The servers are real."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from couriers.http import outgoing
from tests.support.small_courier import Reply, SmallCourier
from tests.support.sockets import serve

BODY = b'{"type":"ping"}'
HEADERS = {"webhook-id": "evt_1", "content-type": "application/json"}
NAME = "shop.localhost"
OK = b"HTTP/1.1 200 OK\r\n"


def post(url: str) -> outgoing.Answered:
    return outgoing.post(f"{url}/hook?shop=1", BODY, HEADERS)


def answering(*parts: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """Answer with the parts, each after a pause; the last one again and again."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            time.sleep(pause)
            connection.sendall(part)
        while parts:
            time.sleep(pause)
            connection.sendall(parts[-1])

    return answer


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have NAME resolve to one address after the other."""
    real = socket.getaddrinfo

    def set_up(*addresses: str) -> None:
        left = list(addresses)

        def stand_in(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            return real(left.pop(0) if host == NAME else host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", stand_in)

    return set_up


def test_the_body_and_the_headers_arrive_as_they_are() -> None:
    with SmallCourier(lambda _: Reply(b'{"ok": true}')) as shop:
        answer = post(shop.url)
    assert (answer.status, answer.text, answer.error) == (200, '{"ok": true}', "")
    [request] = shop.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?shop=1", BODY)
    assert request.headers["webhook-id"] == "evt_1"
    assert not request.headers.keys() & {"Authorization", "Cookie"}


def test_a_redirect_is_not_followed() -> None:
    with SmallCourier() as elsewhere:
        moved = Reply(b"", 301, {"Location": elsewhere.url})
        with SmallCourier(lambda _: moved) as shop:
            assert post(shop.url).status == 301
    assert not elsewhere.requests


@pytest.mark.parametrize("status", [410, 500])
def test_the_status_is_returned_whatever_it_is(status: int) -> None:
    with SmallCourier(lambda _: Reply(b"sorry", status)) as shop:
        answer = post(shop.url)
    assert (answer.status, answer.text, answer.error) == (status, "sorry", "")


@pytest.mark.parametrize("status", [200, 301, 500])
def test_no_more_than_64_kib_of_a_gigabyte_is_read(status: int) -> None:
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {status} X\r\nLocation: /more\r\n".encode())
        connection.sendall(b"Content-Length: 1073741824\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)
            sent += 65536

    with serve(pour) as url:
        answer = post(url)
    assert (answer.status, answer.text) == (status, "x" * outgoing.MAX_SHOWN)
    assert answer.seconds < 2
    time.sleep(0.2)  # until the server has noticed
    assert sent < 16 * 2**20  # what the buffers of the kernel took


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1", b" ", b"2"),
        (OK, b"X: y\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
    ],
)
def test_an_answer_that_drips_ends_at_the_deadline(
    parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "DEADLINE", 1.0)
    with serve(answering(*parts, pause=0.15)) as url:
        answer = post(url)
    assert answer.status is None
    assert answer.error.startswith("no answer: ")
    assert answer.seconds < 2


def test_a_server_that_never_answers_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "DEADLINE", 0.5)
    with serve(lambda _: time.sleep(3)) as url:
        answer = post(url)
    assert (answer.status, answer.error) == (None, "no answer: it did not come in time")
    assert 0.4 < answer.seconds < 1.5


def test_a_slow_answer_within_the_deadline_counts() -> None:
    with serve(answering(OK + b"Content-Length: 2\r\n\r\nok", pause=0.3)) as url:
        assert post(url).status == 200


def test_a_name_is_resolved_for_each_call(resolve: Any) -> None:
    with SmallCourier() as shop:
        port = shop.url.rpartition(":")[2]
        resolve("127.0.0.1", "169.254.169.254", "127.0.0.1")
        assert [post(f"http://{NAME}:{port}").status for _ in range(3)] == [200, None, 200]
    assert len(shop.requests) == 2


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "0.0.0.0", "fd00::1"],
)  # fmt: skip
def test_a_name_in_the_own_network_is_refused_even_where_couriers_may_be_there(
    address: str, resolve: Any, settings: Any, lines: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"ALLOW_PRIVATE_COURIERS": True}
    resolve(address)
    answer = post(f"https://{NAME}")
    assert answer.error == "could not connect: the host's address is not one that may be called"
    assert address not in answer.error
    [line] = lines.of("endpoint_address_refused")
    assert (line["address"], line["host"]) == (address, NAME)


def test_this_machine_is_for_development(settings: Any) -> None:
    with SmallCourier() as shop:
        assert post(shop.url).status == 200
        settings.SHIPCROWD = settings.SHIPCROWD | {"DEVELOPMENT": False}
        assert "is on this machine" in post(shop.url).error
    assert len(shop.requests) == 1


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmallCourier() as proxy, SmallCourier() as shop:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert post(shop.url).status == 200
    assert len(shop.requests) == 1
    assert not proxy.requests


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://shop.example/hook", "must begin with https://"),
        ("https://shop.example/hook#x", "must have no fragment"),
        ("https://me:secret@shop.example/", "must have no login"),  # pragma: allowlist secret
        ("https://10.0.0.1/", "is in a private network"),
        ("https://169.254.169.254/", "is at an address that no server has"),
        ("https://[::ffff:127.0.0.1]/", "is at an address that no server has"),
        ("https://0x7f000001/", "must have an IP address in its usual form"),
        ("https://shop.example/ä", "letters beyond ASCII"),
        ("https://shop.example\\@10.0.0.1/", "backslashes"),
        ("https://[", "is not a URL"),
        ("ftp://shop.example/", "must begin with https://"),
        ("https://shop.example/" + "x" * 500, "is longer than 500 characters"),
    ],
)
def test_a_url_that_can_be_no_endpoint_is_refused(url: str, words: str) -> None:
    assert words in (outgoing.url_problem(url) or "")
    assert words in outgoing.post(url, BODY, HEADERS).error


def test_a_public_https_url_is_an_endpoint() -> None:
    for url in (
        "https://shop.example",
        "https://shop.example:8443/hooks?a=b%20c",
        "https://8.8.8.8/",
    ):
        assert outgoing.url_problem(url) is None


def test_a_phone_or_an_address_in_an_answer_is_masked() -> None:
    with SmallCourier(lambda _: Reply(b"no such  order of\n9876543210, asha@shop.example")) as shop:
        text = post(shop.url).text
    assert text.startswith("no such order of ")
    assert "9876543210" not in text
    assert "asha@" not in text
