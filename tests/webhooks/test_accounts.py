"""The cache of accounts that callbacks are verified against."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests.support.factories import CourierAccountFactory
from webhooks import accounts


def test_an_account_is_read_once(db: None, django_assert_num_queries: Any) -> None:
    account = CourierAccountFactory()
    with django_assert_num_queries(1):
        for _ in range(3):
            found = accounts.find_account(account.pk)
    assert found == accounts.CallbackAccount.of(account)


def test_an_unknown_id_is_read_once_and_a_malformed_one_never(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        for _ in range(3):
            assert accounts.find_account("acc_unknown") is None
    with django_assert_num_queries(0):
        for malformed in ("", "a b", "x" * 41, "acc_é", "acc\n"):
            assert accounts.find_account(malformed) is None


def test_an_account_is_read_again_when_its_time_in_the_cache_is_over(
    db: None, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.05}
    account = CourierAccountFactory()
    accounts.find_account(account.pk)
    time.sleep(0.06)
    with django_assert_num_queries(1):
        accounts.find_account(account.pk)


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_make_one_query() -> None:
    account = CourierAccountFactory()
    queries: list[str] = []
    found: list[accounts.CallbackAccount | None] = []
    start = threading.Barrier(4)

    def slow(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        queries.append(sql)
        time.sleep(0.1)
        return execute(sql, *args)

    def ask() -> None:
        try:
            with connection.execute_wrapper(slow):
                start.wait()
                found.append(accounts.find_account(account.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = accounts.CallbackAccount.of(account)
    assert found == [expected] * start.parties
    assert len(queries) == 1
