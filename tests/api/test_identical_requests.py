"""Two hundred storefront workers that all send the same request at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.ekart.process import SandboxProcess
from shipcrowd.stack import Answer, Stack
from tests.chaos.storefront import order
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.worker import own_servers

REQUESTS = 200


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--hold", "--fault", "create_shipment:slow:1") as running:
        yield running


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    with Stack(own_servers(), {}) as stack:
        stack.start_web(workers=2, threads=16)
        stack.until_ready()
        yield stack


@pytest.mark.slow
def test_two_hundred_identical_requests_make_one_booking_and_one_answer(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    account = CourierAccountFactory(base_url=sandbox.url)
    WarehouseFactory(company=account.company)
    key = make_api_key(account.company)
    answers: list[Answer] = []
    conflicts: Counter[str] = Counter()
    barrier = threading.Barrier(REQUESTS)

    def ask() -> None:
        barrier.wait()
        while True:
            answer = stack.ask(
                "POST", "/api/v1/shipments/", order("A-1"), key=key,
                headers={"Idempotency-Key": "the-same"},
            )  # fmt: skip
            if answer.status != 409:
                answers.append(answer)
                return
            conflicts[answer.json()["type"]] += 1
            pause.wait(float(answer.headers["Retry-After"]))

    pause = threading.Event()
    threads = [threading.Thread(target=ask) for _ in range(REQUESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answer.status for answer in answers) == {201: REQUESTS}
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert sandbox.state()["booked"] == 1
    # They did meet: the courier takes a second to answer.
    assert set(conflicts) == {"/problems/in-flight"}
