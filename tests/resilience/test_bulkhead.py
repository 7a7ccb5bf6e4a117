"""The bulkhead and the waits of an API request: one tenant's slow courier is not another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from couriers.contract.errors import NotDone, RateLimited, TooManyInFlight
from couriers.contract.types import Limit
from couriers.resilience import bulkhead, rate_limit, waits
from couriers.resilience.bulkhead import hold_place
from couriers.resilience.lock import LockTimeout, hold_lock
from couriers.resilience.retry import retry_safely
from couriers.resilience.threads import call_in_parallel


@pytest.fixture(autouse=True)
def threads(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEB_THREADS": 16}


@pytest.fixture
def under_way() -> Iterator[Any]:
    """Start calls that stay under way until the end of the test, each in a thread of its own."""
    over = threading.Event()
    running: list[threading.Thread] = []

    def start(account: Any, count: int) -> int:
        """Return how many of the calls got a place."""
        tried = threading.Semaphore(0)
        refused: list[TooManyInFlight] = []

        def call() -> None:
            try:
                with hold_place(account, "track"):
                    tried.release()
                    over.wait(10)
            except TooManyInFlight as error:
                refused.append(error)
                tried.release()

        running.extend(threading.Thread(target=call) for _ in range(count))
        for thread in running[-count:]:
            thread.start()
        for _ in range(count):
            tried.acquire(timeout=10)
        return count - len(refused)

    yield start
    over.set()
    for thread in running:
        thread.join()
    assert not bulkhead._taken


def account(pk: str, company: int = 1) -> Any:
    return SimpleNamespace(pk=pk, company_id=company, courier_id="toy")


def test_an_account_takes_at_most_half_of_the_threads(under_way: Any) -> None:
    assert under_way(account("a"), 40) == 8
    with pytest.raises(TooManyInFlight) as caught, hold_place(account("a"), "track"):
        pass
    assert caught.value.retry_after == bulkhead.RETRY_AFTER
    assert (caught.value.courier, caught.value.operation) == ("toy", "track")
    with hold_place(account("b", company=2), "track"):
        pass


def test_a_company_with_several_accounts_takes_at_most_three_quarters(under_way: Any) -> None:
    taken = [under_way(account(pk, company=1), 10) for pk in ("a", "b", "c")]
    assert taken == [8, 4, 0]
    assert under_way(account("d", company=2), 1) == 1


def test_requests_that_make_no_call_always_have_threads(under_way: Any) -> None:
    assert sum(under_way(account(str(n), company=n), 4) for n in range(10)) == 14


def test_a_process_with_one_thread_can_call(settings: Any, under_way: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEB_THREADS": 1}
    assert under_way(account("a"), 2) == 1


def test_one_request_holds_one_place_also_in_parallel_calls(settings: Any, under_way: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEB_THREADS": 1}

    def nested() -> bool:
        with hold_place(account("a"), "get_token"):
            return True

    with hold_place(account("a"), "estimate"):
        assert call_in_parallel([nested] * 4, name="test") == [True] * 4


def test_a_failed_call_gives_its_place_back(settings: Any) -> None:
    for _ in range(40):
        with pytest.raises(RuntimeError), hold_place(account("a"), "track"):
            raise RuntimeError
    assert not bulkhead._taken


def test_bulk_work_is_not_counted(under_way: Any) -> None:
    under_way(account("a"), 8)
    with waits.allow_long_waits(), hold_place(account("a"), "create_shipment"):
        pass


def test_all_waits_of_an_api_request_share_its_time(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"API_LIMITER_WAIT": 0.3}
    limit = Limit(5, 1)  # a turn every 0.2 seconds
    rate_limit.acquire("a", "x", limit)
    started = time.monotonic()
    with waits.limit_sum():
        rate_limit.acquire("a", "x", limit)
        with pytest.raises(RateLimited):
            rate_limit.acquire("a", "x", limit)
        with pytest.raises(NotDone), waits.limit_sum():
            retry_safely(lambda: later(0.2))
    assert time.monotonic() - started < 0.3


def later(seconds: float) -> None:
    raise NotDone("later", retry_after=seconds)


def test_a_delay_beyond_the_requests_time_is_handed_on_at_once() -> None:
    with waits.limit_sum(), pytest.raises(NotDone) as caught:
        retry_safely(lambda: later(9), sleep=lambda _: pytest.fail("it waited"))
    assert caught.value.retry_after == 9


def test_a_retry_within_the_requests_time_is_made(no_backoff: None, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"API_LIMITER_WAIT": 0.25}
    slept: list[float] = []
    with waits.limit_sum(), pytest.raises(NotDone):
        retry_safely(lambda: later(0.1), sleep=slept.append)
    assert slept == [0.1, 0.1]


def test_bulk_work_waits_for_the_named_delay_each_time(no_backoff: None) -> None:
    slept: list[float] = []
    with waits.allow_long_waits(), waits.limit_sum(), pytest.raises(NotDone):
        retry_safely(lambda: later(20), sleep=slept.append)
    assert slept == [20, 20, 20]


def test_waiting_for_a_lock_counts_among_the_requests_waits(settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"API_LIMITER_WAIT": 0.2}
    with hold_lock("x", life=30, wait=1), waits.limit_sum():
        with pytest.raises(LockTimeout), hold_lock("x", life=30, wait=20):
            pass
        assert waits.longest() < 0.15
    assert waits.longest() == 0.2
