"""One tenant's slow courier takes no thread that another tenant needs, in a real web server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from shipcrowd.stack import Stack
from tests.support.api import SHIPMENTS
from tests.support.orders import ORDER
from tests.support.slow_courier import ASKED, Merchant, SlowCourier, hanging, statuses_of, timed
from tests.support.worker import own_servers

THREADS = 16
PLACES = THREADS // 2
API_WAIT = 2.0  # seconds; the default of API_LIMITER_WAIT


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    environment = {"LOG_LEVEL": "CRITICAL", "WEB_THREADS": str(THREADS)}
    with Stack(own_servers(), environment) as stack:
        stack.start_demo_web()
        stack.wait_until_ready()
        yield stack


@pytest.mark.slow
def test_a_slow_courier_holds_half_of_the_threads_and_the_rest_is_refused_at_once(
    stack: Stack,
) -> None:
    with SlowCourier() as courier:
        neighbour = Merchant(courier.url)
        with hanging(stack, courier, PLACES) as asked:
            reads = [neighbour.read(stack) for _ in range(10)]
            assert {answer.status for _, answer in reads} == {200}
            assert max(seconds for seconds, _ in reads) < 1
            ended = itertools.islice(as_completed(asked, timeout=20), ASKED - PLACES)
            refused = [future.result() for future in ended]
            assert max(seconds for seconds, _ in refused) < 5
            for _, answer in refused:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) >= 1
                assert answer.json()["type"].endswith("/not-sent")
        assert courier.most_waiting == PLACES
    assert statuses_of(asked) == {503: ASKED - PLACES, 502: PLACES}


@pytest.mark.slow
def test_a_429_holds_an_api_request_no_longer_than_its_own_wait(stack: Stack) -> None:
    with SlowCourier(status=429, retry_after=9) as courier, ThreadPoolExecutor(2) as pool:
        merchant = Merchant(courier.url)
        seconds, answer = merchant.track(stack)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "9")
        booked = [
            pool.submit(
                timed, stack, "POST", SHIPMENTS, merchant.key,
                ORDER | {"courier": "ekart", "order_number": f"S-{number}"},
            )
            for number in range(2)
        ]  # fmt: skip
        for took, refused in [(seconds, answer), *(future.result() for future in booked)]:
            assert refused.status == 503
            assert 7 <= int(refused.headers["Retry-After"]) <= 9
            assert took < API_WAIT + 1
