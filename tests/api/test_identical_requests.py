"""Two hundred clients send the same request at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.stack import Response, Stack
from tests.chaos.storefront import booking_request
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.nginx import needs_nginx
from tests.support.sandboxes import sandbox_fixture
from tests.support.threads import run_at_once
from tests.support.worker import own_servers

REQUESTS = 200


sandbox = sandbox_fixture("--hold", "--fault", "create_shipment:slow:1")


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    with Stack(own_servers(), {}) as stack:
        stack.start_web()
        stack.wait_until_ready()
        yield stack


@needs_nginx
@pytest.mark.slow
def test_two_hundred_identical_requests_make_one_booking_and_one_answer(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    account = CourierAccountFactory(base_url=sandbox.url)
    WarehouseFactory(company=account.company)
    key = make_api_key(account.company)
    conflicts: Counter[str] = Counter()

    def ask() -> Response:
        while True:
            answer = stack.request(
                "POST", "/api/v1/shipments/", booking_request("ekart", "A-1"), key=key,
                headers={"Idempotency-Key": "the-same"},
            )  # fmt: skip
            if answer.status != 409:
                return answer
            conflicts[answer.json()["type"]] += 1
            pause.wait(float(answer.headers["Retry-After"]))

    pause = threading.Event()
    answers = run_at_once(ask, REQUESTS)
    assert Counter(answer.status for answer in answers) == {201: REQUESTS}
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert sandbox.state()["booked"] == 1
    # The requests overlapped: the courier takes a second to answer.
    assert set(conflicts) == {"/problems/in-flight"}
