"""10,000 orders in one request, over the web servers: how long it takes, and how much memory."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from couriers.api.bulk_bodies import MAX_BYTES
from couriers.models import BulkJob, BulkOrder
from shipcrowd import demo_server
from shipcrowd.stack import Stack
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.nginx import needs_nginx
from tests.support.orders import ORDER
from tests.support.worker import forks_of, own_servers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
URL = "/api/v1/shipments/bulk/"
ORDERS = 10_000
MEMORY = 200_000  # kilobytes of a web process
SECONDS = 120.0  # for the largest body on a busy machine; alone it takes fewer than 10


@dataclass(frozen=True, slots=True)
class Server:
    """A web server with a company's key. `processes` are those that answer."""

    stack: Stack
    key: str
    processes: tuple[int, ...]

    def post(self, path: str, body: bytes, kind: str, **headers: str) -> Any:
        """Send a body; return the status and the answer's JSON."""
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": kind, **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=SECONDS)
        try:
            connection.request("POST", path, body, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def peak(self) -> int:
        """Return the largest memory that a process ever had, in kilobytes."""
        return max(
            int(re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[0])
            for status in (Path(f"/proc/{pid}/status").read_text() for pid in self.processes)
        )


@pytest.fixture(
    params=[
        pytest.param("start_demo_web", id="demo"),
        pytest.param("start_web", id="compose", marks=needs_nginx),
    ]
)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    company = CompanyFactory()
    WarehouseFactory(company=company)
    CourierAccountFactory(company=company)
    with Stack(own_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        web = getattr(stack, request.param)()
        stack.wait_until_ready()
        pids = (web.pid,) if request.param == "start_demo_web" else tuple(forks_of(web.pid))
        yield Server(stack, make_api_key(company), pids)


def json_body(prefix: str, lines: int) -> bytes:
    orders = [
        ORDER | {"order_number": f"{prefix}-{number}", "items": ORDER["items"] * lines}
        for number in range(ORDERS)
    ]
    return json.dumps({"orders": orders}).encode()


def csv_body() -> bytes:
    head, first, *_ = (ROOT / "fixtures" / "orders_sample.csv").read_text().splitlines()
    rest = first.split(",", 1)[1]
    return "\n".join([head, *(f"C-{number},{rest}" for number in range(ORDERS))]).encode()


def test_ten_thousand_orders_are_taken_within_the_memory_of_a_web_process(server: Server) -> None:
    largest = json_body("L", lines=20)
    steps = [f"{server.peak()} kB before"]
    assert 0.75 * MAX_BYTES < len(largest) <= MAX_BYTES
    for body, path, kind in (
        (json_body("J", lines=1), URL, "application/json"),
        (csv_body(), f"{URL}?courier=ekart", "text/csv"),
        (largest, URL.rstrip("/"), "application/json"),
    ):
        began = time.perf_counter()
        status, job = server.post(path, body, kind)
        took = time.perf_counter() - began
        assert (status, job.get("total")) == (202, ORDERS), job
        assert job["counts"]["pending"] == ORDERS
        assert took < SECONDS
        steps.append(f"{kind}, {len(body)} bytes: {took:.1f} s, {server.peak()} kB")
    assert server.peak() < MEMORY, steps
    assert BulkOrder.objects.count() == 3 * ORDERS


def test_each_path_takes_bodies_up_to_its_own_limit(server: Server) -> None:
    seven, most = b" " * (7 * 1024**2), b" " * (MAX_BYTES + 1)
    assert server.post(URL, seven, "application/json")[0] == 400
    connection = http.client.HTTPConnection("127.0.0.1", server.stack.port, timeout=30)
    for path, length in (("/api/v1/shipments/", len(seven)), (URL, 40 * 1024**2)):
        # Refused before any of the body is sent.
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
    status, problem = server.post(URL, most, "application/json")
    assert (status, problem["type"]) == (413, "/problems/too-large")
    assert str(MAX_BYTES) in problem["detail"]
    assert not BulkJob.objects.exists()


def test_large_bodies_at_once_wait_for_each_other(server: Server) -> None:
    """Those that wait for too long are told so, and nothing of them is stored."""
    bodies = [json_body(f"P{number}", lines=2) for number in range(4)]
    answers: list[Any] = []

    def post(body: bytes) -> None:
        answers.append(server.post(URL, body, "application/json"))

    threads = [threading.Thread(target=post, args=[body]) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(status for status, _ in answers)
    assert set(statuses) <= {202, 503}
    assert statuses[0] == 202
    for status, answer in answers:
        if status == 503:
            assert (answer["type"], answer["retry_after"]) == ("/problems/not-sent", 10)
    assert BulkOrder.objects.count() == statuses.count(202) * ORDERS
    assert server.peak() < MEMORY


def test_both_web_servers_take_a_little_more_than_the_platform() -> None:
    assert demo_server.MAX_BULK_BODY > MAX_BYTES
    locations = (ROOT / "deploy" / "nginx" / "locations.conf").read_text()
    (largest,) = re.findall(r"bulk.*\n +client_max_body_size (\d+)m;", locations)
    assert int(largest) * 1024**2 > MAX_BYTES
    assert str(MAX_BYTES) in locations
