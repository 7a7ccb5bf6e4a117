"""The faults of the kit's servers, as a client of HTTP meets them."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from couriers.testing.fault_proxy import FaultProxy
from couriers.testing.faults import LOSSY, Fault, FaultKind, FaultPlan
from couriers.testing.toy.sandbox import KEY, ToySandbox


@pytest.fixture
def sandbox() -> Iterator[ToySandbox]:
    with ToySandbox("search") as running:
        yield running


def book(url: str, order_number: str, timeout: float = 0.5) -> tuple[int, bytes]:
    """Book an order; return the status and at most 4 KB of the body. Raises OSError and others."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    body = json.dumps({"order": order_number, "pin": "560008"})
    try:
        connection.request("POST", "/orders", body, {"Authorization": f"Token {KEY}"})
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()


@pytest.mark.parametrize("kind", FaultKind)
def test_the_work_is_done_before_a_fault_or_never(sandbox: ToySandbox, kind: FaultKind) -> None:
    with FaultProxy(sandbox.url) as proxy:
        proxy.fail(kind)
        with suppress(OSError, http.client.HTTPException):
            book(proxy.url, "A-1", timeout=0.2)
        was_done = kind.endswith("_after")
        assert len(sandbox.booked("A-1")) == was_done
        assert len(proxy.failed) == 1
        proxy.heal()
        assert book(proxy.url, "A-2")[0] == 200


def test_each_fault_is_met_in_its_own_way(sandbox: ToySandbox) -> None:
    with FaultProxy(sandbox.url) as proxy:
        proxy.fail(FaultKind.TIMEOUT_BEFORE)
        with pytest.raises(TimeoutError):
            book(proxy.url, "A-1", timeout=0.2)
        proxy.fail(FaultKind.RESET_AFTER)
        with pytest.raises(ConnectionResetError):
            book(proxy.url, "A-2")
        proxy.fail(FaultKind.HALF_AFTER)
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            book(proxy.url, "A-3")
        proxy.fail(FaultKind.ERROR_AFTER)
        assert book(proxy.url, "A-4")[0] >= 500
        proxy.fail(FaultKind.BROKEN_AFTER)
        assert book(proxy.url, "A-5") == (200, b"<html><body>upstream error</body></html>")
        proxy.fail(FaultKind.HUGE_AFTER)
        assert len(book(proxy.url, "A-6")[1]) == 4096
        proxy.fail(FaultKind.RATE_LIMITED)
        assert book(proxy.url, "A-7")[0] == 429
        proxy.fail(FaultKind.ECHO)
        status, body = book(proxy.url, "A-8")
        assert status == 400
        assert KEY.encode() in body
        assert b"A-8" in body


def test_one_kind_of_request_fails_and_the_others_pass(sandbox: ToySandbox) -> None:
    with FaultProxy(sandbox.url) as proxy:
        proxy.fail(FaultKind.ERROR_BEFORE, position=1)
        with pytest.raises(urllib.error.HTTPError, match=r"404|401"):
            urllib.request.urlopen(f"{proxy.url}/parcels/1")
        for number in ("A-1", "A-2"):
            assert book(proxy.url, number)[0] >= 500
        assert [request.path for request in proxy.failed] == ["/orders", "/orders"]


def test_faults_are_set_and_counted_over_http(sandbox: ToySandbox) -> None:
    faults = json.dumps([{"operation": "book", "kind": "error_before", "rate": 1.0}]).encode()
    request = urllib.request.Request(f"{sandbox.url}/_sandbox/faults", faults, method="PUT")
    urllib.request.urlopen(request).close()
    assert book(sandbox.url, "A-1")[0] >= 500
    with urllib.request.urlopen(f"{sandbox.url}/_sandbox/state") as answer:
        state = json.load(answer)
    assert state["faults"] == {"book:error_before": 1}
    assert state["booked"] == 0


def test_a_rate_is_kept_and_spread_over_the_kinds() -> None:
    plan = FaultPlan(seed=1)
    plan.replace(Fault("book", kind, 0.5 / len(LOSSY)) for kind in LOSSY)
    drawn = Counter(plan.draw("book") for _ in range(4000))
    assert set(drawn) == {None, *LOSSY}
    assert 1800 < drawn[None] < 2200
    assert plan.draw("find") is None


@pytest.mark.parametrize(("kind", "rate"), [("nonsense", 0.1), ("echo", 1.1), ("echo", -1)])
def test_a_fault_that_is_not_one_is_refused(kind: str, rate: float) -> None:
    with pytest.raises(ValueError):
        Fault("book", kind, rate)
