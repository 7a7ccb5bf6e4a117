"""How much of an answer is read, and what becomes of one that is larger."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from couriers.contract.errors import NotSent, Unknown
from couriers.http.answers import KIB, MIB
from couriers_ekart.client import OPERATIONS, EkartClient
from tests.support.factories import CourierAccountFactory
from tests.support.sockets import serve

pytestmark = pytest.mark.django_db
TOKEN = b'{"access_token": "abcdefghijkl", "expires_in": 86400}'
PDF = b"%PDF-1.7\n"


@contextmanager
def answering(
    body: bytes, status: int = 200, encoding: str = "", auth: bytes = TOKEN
) -> Iterator[Any]:
    """A courier that answers every call but the auth call with this body; yields its client."""

    def answer(connection: Any) -> None:
        is_login = b"/auth/token/" in connection.recv(65536)
        content = auth if is_login else body
        head = f"HTTP/1.1 {200 if is_login else status} OK\r\nContent-Length: {len(content)}\r\n"
        if encoding and not is_login:
            head += f"Content-Encoding: {encoding}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + content)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # what is not read would reset the connection
            pass

    with serve(answer) as url:
        yield EkartClient(CourierAccountFactory(base_url=url))


def padded(size: int) -> bytes:
    """A JSON answer of this many bytes that says that a shipment is booked."""
    answer = {"status": True, "tracking_id": "T-1", "remark": ""}
    return json.dumps(answer | {"remark": "x" * (size - len(json.dumps(answer)))}).encode()


def test_an_answer_is_read_up_to_its_operations_size() -> None:
    with answering(padded(64 * KIB)) as client:
        assert client.call("create_shipment", json={})["tracking_id"] == "T-1"
    with answering(padded(256 * KIB)) as client:
        assert client.call("track", tracking_id="x")["tracking_id"] == "T-1"


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
def test_a_larger_answer_to_a_booking_is_unknown_whatever_its_status(status: int) -> None:
    with answering(padded(64 * KIB + 1), status) as client, pytest.raises(Unknown) as caught:
        client.call("create_shipment", json={})
    assert type(caught.value) is Unknown
    assert str(caught.value) == (
        f"ekart create_shipment: the answer is larger than 65536 bytes (HTTP {status})"
    )


def test_a_larger_answer_to_a_question_is_a_failure_and_nothing_of_it_is_taken() -> None:
    with answering(padded(256 * KIB + 1)) as client, pytest.raises(Unknown, match="larger"):
        client.call("track", tracking_id="x")


def test_a_larger_answer_to_the_auth_call_leaves_the_call_unsent() -> None:
    with answering(b"{}", auth=padded(65 * KIB)) as client, pytest.raises(NotSent, match="larger"):
        client.call("create_shipment", json={})


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_counts_is_the_size_after_decompression(encoding: str) -> None:
    bomb = gzip.compress(b" " * (40 * MIB))
    assert len(bomb) < MIB
    if encoding == "deflate":
        bomb = bomb[10:-8]  # without the head and the check sum of gzip
    with answering(bomb, encoding=encoding) as client, pytest.raises(Unknown, match="larger"):
        client.call("create_shipment", json={})


def test_a_pdf_may_be_larger_than_json_where_one_is_expected() -> None:
    labels = PDF + b"x" * (2 * MIB)
    with answering(labels) as client:
        assert client.call("label", json={"ids": ["T-1"]}) == labels
        with pytest.raises(Unknown, match="larger"):
            client.call("create_shipment", json={})
    with answering(padded(512 * KIB + 1)) as client, pytest.raises(Unknown, match="larger"):
        client.call("label", json={"ids": ["T-1"]})


def test_a_deeply_nested_answer_is_broken() -> None:
    nested = b'{"status": true, "tracking_id": "T", "x": ' + b"[" * 300 + b"]" * 300 + b"}"
    with answering(nested) as client, pytest.raises(Unknown, match="broken"):
        client.call("create_shipment", json={})


def test_every_operation_has_a_size_and_only_lists_are_large() -> None:
    sizes = {operation: one.answer_size.json for operation, one in OPERATIONS.items()}
    assert {one for one, size in sizes.items() if size > 64 * KIB} == {
        "track", "raw_track", "label", "list_addresses", "bulk_serviceability",
    }  # fmt: skip


# Reads an answer for each operation in a process of its own, and prints by how many MiB the largest
# memory that it ever had has grown.
MEASURE = """
import dataclasses, json, sys
import django
django.setup()
from types import SimpleNamespace
from couriers_ekart import client
from couriers.contract.errors import CourierError
account = SimpleNamespace(pk="a", company_id=1, courier_id="ekart", base_url=sys.argv[1],
    login=dict(client_id="c", username="u", password="p"),
    limit_of=lambda operation, default: default)
anything = dict(method="GET", path="/x", needs_login=False)
client.EkartClient.operations = {name: dataclasses.replace(one, **anything)
    for name, one in client.OPERATIONS.items()}
ekart = client.EkartClient(account)
def peak():
    # Not getrusage(), whose figure a process inherits from its parent.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
def read(operation):
    try:
        return ekart.call(operation)
    except CourierError as error:
        return error.message
read("list_webhooks")
before, grown = peak(), {}
for operation in sys.argv[2:]:
    assert "larger than" in read(operation)
    grown[operation] = round(peak() - before, 1)
print(json.dumps(grown))
"""


def test_a_large_answer_takes_little_memory() -> None:
    line = b'{"pincode": "560001", "served": [true]},'
    with answering(b"[" + line * (31 * MIB // len(line)) + b"{}]") as client:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, client._base_url,
             "create_shipment", "track", "label", "bulk_serviceability"],
            capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    grown = json.loads(done.stdout.strip().splitlines()[-1])
    assert grown["create_shipment"] < 2
    assert grown["label"] < 6
    # The list of pincodes is loaded by a command, never while a web request waits.
    assert grown["bulk_serviceability"] < 40
