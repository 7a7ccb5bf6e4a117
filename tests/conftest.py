"""Fixtures of the whole suite, which runs on real servers (shipcrowd.embedded.pytest_plugin)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import redis
from coverage import Coverage
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from tenacity import wait_none

from shipcrowd.pooler import past_the_pooler
from tests.support.answers import checking
from tests.support.audit_trail import AUDIT, emptied_audit_trail
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.log_lines import Lines, collected_lines
from tests.support.orders import ORDER

# Tables that the migrations fill, with the same rows for every test.
KEPT = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
MAX_DELETED = 2**20  # bytes in the tables; TRUNCATE is quicker for more


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first, so that none is left to one worker while the other is idle."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """End the sessions that killed children left open, so that the database can be dropped."""
    yield
    with django_db_blocker.unblock(), past_the_pooler("default"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """After a transactional test, empty only the tables that it filled.

    Django would truncate every table, which takes PostgreSQL a tenth of a second, and create its
    permissions again. That is still done where there are many rows to delete.
    """
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty(case: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname = ANY(%s)",
                [connection.introspection.django_table_names(include_views=False)],
            )
            filled = {name: size for name, size in cursor.fetchall() if size and name not in KEPT}
            if sum(filled.values()) < MAX_DELETED:
                for name in filled:
                    with emptied_audit_trail() if name == AUDIT else nullcontext():
                        cursor.execute(f"DELETE FROM {name}")
                return
        with emptied_audit_trail():
            flush(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(autouse=True)
def _unmeasured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure no coverage in slow tests and their processes: it would double their time.

    Quick tests cover the same lines. pytest-cov's `no_cover` does not do: it stops one measurement,
    and a parallel worker has a second one running below it.
    """
    measuring = []
    if request.node.get_closest_marker("slow"):
        for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
            monkeypatch.delenv(name, raising=False)
        while current := Coverage.current():
            current.stop()
            measuring.append(current)
    yield
    for stopped in reversed(measuring):
        stopped.start()


@pytest.fixture(autouse=True)
def _quick_settings(settings: Any) -> None:
    """Use a quick password hash, and keep WhiteNoise from scanning the static files each time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_USE_FINDERS = False


@pytest.fixture(autouse=True)
def _own_redis_keys() -> None:
    """Empty the worker's own Redis database and the guards' local state before each test."""
    from django_redis import get_redis_connection

    from couriers.operations import health
    from couriers.resilience import broker, circuit_breaker, rate_limit, shared, throttle

    shared.forget_outage()
    broker.forget_outage()
    health.forget_checks()
    rate_limit.forget_local_buckets()
    throttle.wrong_keys.forget()
    throttle.refused_callbacks.forget()
    circuit_breaker.forget_local_circuits()
    get_redis_connection("default").flushdb()


@pytest.fixture(autouse=True)
def _fresh_caches() -> None:
    """Clear the caches, which hold objects of the previous test's rows."""
    from couriers.admin.today import facts
    from couriers.contract.registry import CourierFactory
    from webhooks import accounts

    CourierFactory.clear_adapters()
    accounts.clear_cache()
    facts.forget()


@pytest.fixture(autouse=True)
def _no_writing_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note callbacks and used keys for the test alone, which calls write() where a thread would."""
    from couriers.api import key_use
    from webhooks import refusals, tally

    tally.forget()
    refusals.forget()
    key_use._used.clear()
    for writer in (tally._writer, key_use._writer):
        for name in ("start", "request"):
            monkeypatch.setattr(writer, name, lambda: None)


@pytest.fixture(autouse=True)
def _answers_as_in_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test where an answer of the API is not the one that the OpenAPI schema describes."""
    monkeypatch.setattr(Client, "request", checking(Client.request))


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without a pause."""
    monkeypatch.setattr("couriers.resilience.retry.BACKOFF", wait_none())


@pytest.fixture
def redis_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every connection to Redis fail."""
    from couriers.resilience import shared

    def refuse(_: str) -> None:
        raise redis.exceptions.ConnectionError("down")

    monkeypatch.setattr(shared, "get_redis_connection", refuse)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log lines of the test, as the project writes them."""
    with collected_lines() as lines:
        yield lines


@pytest.fixture
def order() -> dict[str, Any]:
    """A valid request to book with the toy courier."""
    return copy.deepcopy(ORDER)


@pytest.fixture
def toy() -> Iterator[Any]:
    """The toy courier's adapter class, registered for the test."""
    from couriers.contract.registry import CourierFactory
    from tests.support.toy import ToyAdapter, ToyReceiver

    CourierFactory.register(ToyAdapter, ToyReceiver())
    ToyAdapter.booked.clear()
    ToyAdapter.on_create = None
    yield ToyAdapter
    ToyAdapter.on_create = None
    CourierFactory.unregister("toy")


@pytest.fixture
def able(toy: Any, account: Any) -> Iterator[Any]:
    """The toy courier that offers nearly everything, in the place of the plain one."""
    from couriers.contract.registry import CourierFactory
    from tests.support.toy import AbleToyAdapter, ToyReceiver

    CourierFactory.register(AbleToyAdapter, ToyReceiver())
    AbleToyAdapter.asked.clear()
    AbleToyAdapter.on_call.clear()
    yield AbleToyAdapter
    AbleToyAdapter.on_call.clear()


@pytest.fixture
def company(db: None) -> Any:
    """A company with a default warehouse."""
    company = CompanyFactory()
    WarehouseFactory(company=company)
    return company


@pytest.fixture
def account(company: Any, toy: Any) -> Any:
    """The company's account with the toy courier."""
    return CourierAccountFactory(company=company, courier=CourierRowFactory(code="toy", name="Toy"))


@pytest.fixture
def other_courier(account: Any) -> Iterator[Any]:
    """The same company's account with a second courier."""
    from couriers.contract.registry import CourierFactory
    from tests.support.toy import ToyAdapter, ToyReceiver

    class OtherToyAdapter(ToyAdapter):
        code = "othertoy"
        name = "Other toy"

    CourierFactory.register(OtherToyAdapter, ToyReceiver())
    yield CourierAccountFactory(
        company=account.company, courier=CourierRowFactory(code="othertoy", name="Other toy")
    )
    CourierFactory.unregister("othertoy")


@pytest.fixture
def shipment(account: Any) -> Any:
    """A booked shipment of the account."""
    return ShipmentFactory(account=account, warehouse=account.company.warehouses.get())


@pytest.fixture
def storefront(company: Any) -> Client:
    """An HTTP client with the company's API key."""
    return Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})
