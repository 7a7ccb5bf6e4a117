"""What both web servers send by one connection: dates, ids, compressed answers, and HEAD."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.utils import timezone

from couriers.models import Company
from shipcrowd.stack import Stack
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.nginx import needs_nginx
from tests.support.worker import own_servers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LIST = "/api/v1/warehouses/"
OPEN = ("/healthz", "/readyz/", "/problems/validation", "/api/schema/", "/api/docs/", "/metrics")


@pytest.fixture
def company() -> Company:
    company = CompanyFactory()
    for number in range(12):
        WarehouseFactory(company=company, name=f"W {number}")
    CourierAccountFactory(company=company)
    return company


@pytest.fixture(
    params=[
        pytest.param("start_demo_web", id="demo"),
        pytest.param("start_web", id="compose", marks=needs_nginx),
    ]
)
def connection(
    request: pytest.FixtureRequest, company: Company
) -> Iterator[http.client.HTTPConnection]:
    with Stack(own_servers(), {"LOG_LEVEL": "ERROR"}) as stack:
        getattr(stack, request.param)()
        stack.wait_until_ready()
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
        yield connection
        connection.close()


class Client:
    """Asks by one connection. `last` are the headers of the last answer, in small letters."""

    def __init__(self, connection: http.client.HTTPConnection, company: Company) -> None:
        self._connection = connection
        self._key = {"Authorization": f"Bearer {make_api_key(company)}"}
        self.sockets: set[Any] = set()
        self.last: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: str | None = None, **more: str
    ) -> tuple[int, bytes]:
        """Send a request; return the status and the body."""
        headers = self._key | {name.replace("_", "-"): value for name, value in more.items()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, body, headers)
        self.sockets.add(self._connection.sock)
        answer = self._connection.getresponse()
        content = answer.read()
        self.last = {name.lower(): value for name, value in answer.getheaders()}
        date = parsedate_to_datetime(self.last["date"])
        assert abs((timezone.now() - date).total_seconds()) < 60
        assert not path.startswith("/api/v1/") or self.last["x-request-id"]
        return answer.status, content


def test_one_connection_is_kept_through_answers_of_every_kind(
    connection: http.client.HTTPConnection, company: Company
) -> None:
    client = Client(connection, company)
    ask = client.ask
    status, plain = ask("GET", LIST)
    assert (status, len(json.loads(plain))) == (200, 12)
    status, packed = ask("GET", LIST, Accept_Encoding="gzip, deflate, br")
    assert (client.last["content-encoding"], gzip.decompress(packed)) == ("gzip", plain)
    assert "accept-encoding" in client.last["vary"].lower()
    assert len(packed) < len(plain) / 2
    # A body would be read as the next answer.
    assert ask("HEAD", LIST) == (200, b"")
    assert client.last["content-length"] == str(len(plain))
    assert ask("HEAD", LIST, Accept_Encoding="gzip") == (200, b"")
    assert ask("GET", f"{LIST}whs_unknown/")[0] == 404
    status, refused = ask("DELETE", LIST)
    assert (status, client.last["allow"]) == (405, "GET, POST, HEAD")
    assert json.loads(refused)["type"] == "/problems/method-not-allowed"
    assert ask("POST", LIST, "{")[0] == 400
    assert ask("OPTIONS", LIST, Origin="https://shop.example")[0] == 405
    assert not [name for name in client.last if name.startswith("access-control-")]
    assert ask("GET", "/api/v1/jobs/", X_Request_ID="order-17")[0] == 200
    assert client.last["x-request-id"] == "order-17"
    for path in OPEN:
        status, content = ask("GET", path)
        assert status == (200 if path != "/metrics" else status), path
        assert content, path
        assert ask("HEAD", path) == (status, b""), path
    assert ask("HEAD", "/webhooks/toy/acc_1/") == (405, b"")
    assert ask("GET", LIST) == (200, plain)
    assert len(client.sockets) == 1
