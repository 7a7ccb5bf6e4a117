"""The class of every way that a call can end. Real sockets on loopback make the endings."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotFound,
    NotSent,
    Rejected,
    TokenRefused,
    TooManyRequests,
    Unknown,
    UnknownPickupAlias,
)
from couriers_ekart.mapper import answers, tracking
from couriers_ekart.wire.client import EkartClient
from couriers_ekart.wire.outcomes import classify_answer, retry_after
from tests.support.ekart import nothing_sent
from tests.support.factories import CourierAccountFactory
from tests.support.sockets import serve

pytestmark = pytest.mark.django_db


def error_of_call(url: str, settings: Any) -> CourierError:
    """Return the error of a tracking call to this URL."""
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "COURIERS": {"ekart": {"READ_TIMEOUT": 0.5, "CONNECT_TIMEOUT": 0.5}},
        "BREAKER_FAILURES": 1000,
    }
    account = CourierAccountFactory()
    account.base_url = url  # as it may have been stored before it was checked
    client = EkartClient(account)
    with pytest.raises(CourierError) as caught:
        client.track("x")
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

    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"ekart": {"READ_TIMEOUT": 0.5}}}
    with serve(slow_but_whole) as url:
        client = EkartClient(CourierAccountFactory(base_url=url))
        assert [client.track("x") for _ in range(4)] == [{}] * 4


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
        for account in CourierAccountFactory.create_batch(2, base_url=url):
            EkartClient(account).track("x")
    assert [b"cookie" in request for request in requests] == [False, False]


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


ALIAS = body(
    message="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
    description="main pickup_location does not exist or is deleted.",
)
NOT_FOUND = body(message="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION", description="No shipment.")
INVALID = body(message="SWIFT_VALIDATION_EXCEPTION", description="phone 9876543210 is wrong")


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, b"<html>", Unknown),
        (200, b'{"a": 1', Unknown),
        (204, b"", Unknown),
        (302, b"", Unknown),
        (400, b"{}", Rejected),
        (400, INVALID, Rejected),
        (401, b"{}", TokenRefused),
        (403, b"", CredentialsRefused),
        (404, ALIAS, UnknownPickupAlias),
        (404, NOT_FOUND, NotFound),
        (404, b"nginx", NotFound),
        (408, b"", Unknown),
        (409, b"{}", Rejected),
        (422, b"{}", Rejected),
        (429, b"", TooManyRequests),
        (500, b"{}", Unknown),
        (502, b"<html>", Unknown),
        (503, b"", Unknown),
        (504, b"", Unknown),
        (500, NOT_FOUND, NotFound),
        (503, ALIAS, UnknownPickupAlias),
        (500, INVALID, Rejected),
        (404, body(code="PATH_NOT_IMPLEMENTED"), Rejected),
    ],
)
def test_a_known_code_decides_before_the_status(
    status: int, answer: bytes, kind: type[CourierError]
) -> None:
    _, error = classify_answer(status, {}, answer, "create_shipment", nothing_sent)
    assert type(error) is kind
    assert error.http_status == status
    assert "9876543210" not in str(error)


@pytest.mark.parametrize(
    "parse",
    [
        lambda remark: answers.booking_from({"status": False, **remark}),
        lambda remark: answers.ndr_from({"status": False, **remark}),
        lambda remark: answers.registration_from({"status": False, **remark}, "a"),
        lambda remark: answers.cancellation_from({"data": [{"status": False, **remark}]}, "T1"),
        lambda remark: answers.label_data_from({"status": False, **remark}),
    ],
)
def test_a_refusal_with_http_200_has_no_phone_number_and_can_be_stored(parse: Any) -> None:
    words = {"remark": "Phone 98765 43210 is black\x00listed \ud83d", "tracking_id": "T1"}
    with pytest.raises(Rejected) as caught:
        parse(nothing_sent(words))
    assert str(caught.value).endswith("Phone ••• is blacklisted ?")


def test_the_messages_of_refused_ids_have_no_phone_number() -> None:
    data = [{"status": False, "remark": "9876543210 is out", "tracking_id": "T1"}]
    answer = nothing_sent({"data": data})
    assert answers.dispatch_refusals_from(answer, ["T1"]) == [("T1", "••• is out")]


def test_the_code_and_the_message_of_an_error_can_be_stored() -> None:
    answer = body(code="A\x00B", description="black\x00listed \ud83d")
    _, error = classify_answer(400, {}, answer, "create_shipment", nothing_sent)
    assert error is not None
    assert (error.code, error.courier_message) == ("AB", "blacklisted ?")


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


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": False, "remark": "Pincode not serviceable"}, Rejected),
        ({"status": True, "remark": "ok"}, Unknown),
        ({"status": True, "tracking_id": ""}, Unknown),
        ({"remark": "?"}, Unknown),
        ([], Unknown),
        ("x", Unknown),
    ],
)
def test_a_2xx_is_a_booking_only_with_status_and_tracking_id(
    answer: Any, kind: type[CourierError]
) -> None:
    with pytest.raises(CourierError) as caught:
        answers.booking_from(answer)
    assert type(caught.value) is kind


def test_answers_are_read_tolerantly() -> None:
    booking = answers.booking_from(
        {"status": "true", "tracking_id": 5001, "barcodes": {"wbn": 7}, "surprise": [1]}
    )
    assert (booking.tracking_id, booking.waybill) == ("5001", "7")
    found = tracking.tracking_from(
        {"_id": "1", "track": {"status": "In_Transit", "ctime": "1793400000000", "desc": None,
                               "attempts": "2"}}
    )  # fmt: skip
    assert (found.attempts, found.scans[0].mapped.status) == (2, "in_transit")
    quote = answers.quote_from({"shippingCharge": "46.00", "taxes": "8.28"}, "SURFACE")
    assert str(quote.total) == "54.28"
    for empty in ({}, {"total": "many"}):
        with pytest.raises(Unknown):
            answers.quote_from(empty, "SURFACE")
    with pytest.raises(Unknown, match=r"track\.ctime"):
        tracking.tracking_from({"track": {"status": "Delivered", "ctime": 1793400000}})
    with pytest.raises(Unknown):
        answers.cancellation_from({"data": [{"status": True, "tracking_id": "other"}]}, "mine")
    with pytest.raises(Rejected):
        answers.registration_from({"status": False, "remark": "phone is wrong"}, "a")
    known = answers.registration_from({"status": False, "remark": "Alias already exists"}, "a")
    assert known.reference == "a"
