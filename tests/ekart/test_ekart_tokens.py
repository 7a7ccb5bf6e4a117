"""The access token under a stampede: many processes, one auth call."""

from __future__ import annotations

import datetime as dt
import socket
import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from benchmarks.processes import run_in_processes
from couriers.contract.errors import CourierError, CredentialsRefused, NotSent, TokenRefused
from couriers.contract.registry import CourierFactory
from couriers.http import tokens
from couriers.http.metrics import CallMetrics
from couriers.models import CourierAccount, CourierToken
from couriers_ekart.adapter import EkartAdapter
from couriers_ekart.client import EkartClient
from sandbox.process import SandboxProcess
from tests.support.drafts import draft_with
from tests.support.ekart import classify_answer
from tests.support.factories import CourierAccountFactory, WarehouseFactory
from tests.support.sandboxes import sandbox_fixture
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


sandbox = sandbox_fixture("--hold", "--slow-seconds", "1", scope="module")


@pytest.fixture
def account(sandbox: SandboxProcess) -> CourierAccount:
    fast = {"count": 5000, "window": 1}
    account = CourierAccountFactory(
        base_url=sandbox.url, limits={"serviceability": fast, "get_token": fast}
    )
    WarehouseFactory(company=account.company)
    return account


def source_of(account: CourierAccount, fetch: Any) -> tokens.TokenSource:
    return tokens.TokenSource(account, EkartClient.login, fetch, CallMetrics("ekart"))


def client_of(account: CourierAccount) -> Any:
    adapter = EkartAdapter(account)
    return adapter.client


@pytest.mark.slow
def test_fifty_processes_with_an_expired_token_make_one_auth_call(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    client_of(account).call("serviceability", pincode="560001")
    expired = timezone.now() - dt.timedelta(seconds=1)
    CourierToken.objects.update(expires_at=expired)
    before = sandbox.state()["calls"]
    sandbox.set_faults(("auth", "slow", 1))

    def work() -> float:
        started = time.monotonic()
        client_of(account).call("serviceability", pincode="560001")
        return time.monotonic() - started

    waits = run_in_processes(50, work)
    sandbox.set_faults()
    after = sandbox.state()["calls"]
    assert after["auth"] - before["auth"] == 1
    assert after["serviceability"] - before["serviceability"] == 50
    assert max(waits) < 10
    assert CourierToken.objects.get().version == 2


def test_many_refused_calls_do_not_loop(account: CourierAccount, sandbox: SandboxProcess) -> None:
    client_of(account).call("serviceability", pincode="560001")
    before = sandbox.state()["calls"]
    sandbox.set_faults(("serviceability", "unauthorized", 1))

    def work() -> int:
        client, refused = client_of(account), 0
        for _ in range(5):
            try:
                client.call("serviceability", pincode="560001")
            except TokenRefused:
                refused += 1
        return refused

    assert run_in_processes(8, work) == [5] * 8
    sandbox.set_faults()
    after = sandbox.state()["calls"]
    # Each process asks once whether there is a newer token, and then leaves it alone.
    assert after["auth"] - before["auth"] <= 8
    assert after["serviceability"] - before["serviceability"] == 40


def test_a_holder_that_outlived_its_lock_does_not_overwrite_a_newer_token(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    client = client_of(account)
    client.call("serviceability", pincode="560001")

    def fetch_while_another_is_quicker() -> Any:
        answer = client.log_in()
        CourierToken.objects.update(access_token="newer", version=7)
        return answer

    slow = source_of(account, fetch_while_another_is_quicker)
    CourierToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    slow.current()
    stored = CourierToken.objects.get()
    assert (stored.access_token, stored.version) == ("newer", 7)


def test_a_token_that_ekart_does_not_renew_is_used_in_its_last_minute() -> None:
    with SandboxProcess("ekart", "--hold", "--token-life", "55") as ending:
        account = CourierAccountFactory(base_url=ending.url)
        for _ in range(12):  # get_token has 10 in 300 s, and five at once
            client_of(account).call("serviceability", pincode="560001")
        assert ending.state()["calls"]["auth"] == 1


def test_an_expired_token_is_replaced_by_a_new_one() -> None:
    with SandboxProcess("ekart", "--hold", "--token-life", "1") as ending:
        client = client_of(CourierAccountFactory(base_url=ending.url))
        client.call("serviceability", pincode="560001")
        first = CourierToken.objects.get()
        time.sleep(2.1)
        client.call("serviceability", pincode="560001")
    assert CourierToken.objects.get().access_token != first.access_token


def test_a_token_that_ekart_returns_again_is_used_to_its_end_by_all_processes(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    client_of(account).call("serviceability", pincode="560001")
    first = CourierToken.objects.get()
    before = sandbox.state()["calls"]["auth"]
    CourierToken.objects.update(expires_at=timezone.now() + dt.timedelta(seconds=50))
    for _ in range(3):
        client_of(account).call("serviceability", pincode="560001")
    assert sandbox.state()["calls"]["auth"] == before + 1
    stored = CourierToken.objects.get()
    assert (stored.access_token, stored.no_newer) == (first.access_token, True)


@pytest.mark.parametrize("field", ["base_url", "client_id", "username", "password"])
def test_a_changed_login_gets_a_token_of_its_own(account: CourierAccount, field: str) -> None:
    def handing_out(token: str) -> tokens.Token:
        answer = {"access_token": token, "expires_in": 80_000}
        return source_of(account, lambda: answer).current()

    assert handing_out("of-the-old").header == "Bearer of-the-old"
    assert handing_out("of-nobody").header == "Bearer of-the-old"
    if field == "base_url":
        account.base_url = "https://another.test"
    else:
        account.login[field] = "another"
    assert handing_out("of-the-new").header == "Bearer of-the-new"
    stored = CourierToken.objects.get()
    assert (stored.access_token, stored.version) == ("of-the-new", 2)
    assert account.login["password"] not in stored.login_hash


def test_threads_do_not_wait_one_after_another_for_an_auth_call_without_answer(
    settings: Any,
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "COURIERS": {"ekart": {"AUTH_READ_TIMEOUT": 1.0, "CONNECT_TIMEOUT": 0.5}},
    }
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fast = {"count": 1000, "window": 1}
        client = client_of(CourierAccountFactory(base_url=url, limits={"get_token": fast}))

        def work() -> float:
            started = time.monotonic()
            with suppress(NotSent):
                client.call("serviceability", pincode="560001")
                raise AssertionError("nobody answers there")
            return time.monotonic() - started

        waits = run_at_once(work, 8)
    # One after the other, the last would have waited for eight time-outs of a second.
    assert max(waits) < 5


@pytest.mark.parametrize(
    "answer",
    [
        {"expires_in": 1e15},
        {"expires_in": float("nan")},
        {"expires_in": -1},
        {"access_token": "two words"},
        {"access_token": "…"},
        {"token_type": "Bearer\r\n"},
    ],
)
def test_an_invalid_token_is_not_stored(account: CourierAccount, answer: dict[str, Any]) -> None:
    whole = {"access_token": "t", "token_type": "Bearer", "expires_in": 80_000} | answer
    with pytest.raises(CourierError, match="cannot be read"):
        source_of(account, lambda: whole).current()
    assert not CourierToken.objects.exists()


def test_a_token_with_zero_seconds_left_is_still_fresh(account: CourierAccount) -> None:
    answer = {"access_token": "t", "expires_in": 0}
    assert source_of(account, lambda: answer).current().is_fresh(60)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b"{}"),
        (403, b"{}"),
        (404, b"nginx"),
        (404, b'{"message": "SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"}'),
        (400, b'{"message": "SWIFT_VALIDATION_EXCEPTION"}'),
        (404, b'{"code": "PATH_NOT_IMPLEMENTED"}'),
    ],
)
def test_a_refused_auth_call_raises_credentials_refused(status: int, body: bytes) -> None:
    _, error = classify_answer(status, body, "get_token")
    assert type(error) is CredentialsRefused


def test_a_database_failure_before_the_call_leaves_no_booking_in_doubt(
    account: CourierAccount,
    sandbox: SandboxProcess,
    no_backoff: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from couriers.booking.protocol import book
    from couriers.models import Shipment

    def away(_: Any) -> None:
        raise OperationalError("the connection is closed")

    book(account.company, draft_with(courier="ekart", order_number="T-3"))
    before = sandbox.state()["calls"]["create_shipment"]
    CourierFactory.clear_adapters()  # and the token that its adapter remembers
    monkeypatch.setattr(tokens, "load_token", away)
    with pytest.raises(NotSent, match="could not get an access token"):
        book(account.company, draft_with(courier="ekart", order_number="T-4"))
    assert sandbox.state()["calls"]["create_shipment"] == before
    assert Shipment.objects.get(order_number="T-4").status == "failed"


def test_a_lost_answer_to_the_auth_call_leaves_no_booking_in_doubt(
    account: CourierAccount, sandbox: SandboxProcess, no_backoff: None
) -> None:
    from couriers.booking.protocol import book
    from couriers.models import Shipment

    CourierFactory.get_adapter(account)
    sandbox.set_faults(("auth", "error_before", 1))
    with pytest.raises(NotSent, match="could not get an access token"):
        book(account.company, draft_with(courier="ekart", order_number="T-1"))
    sandbox.set_faults()
    assert Shipment.objects.get().status == "failed"


def test_a_lost_answer_to_the_registration_leaves_no_booking_in_doubt(
    account: CourierAccount, sandbox: SandboxProcess, no_backoff: None
) -> None:
    from couriers.booking.protocol import book
    from couriers.models import Shipment

    sandbox.set_faults(("add_address", "error_after", 1))
    with pytest.raises(NotSent, match="could not be registered"):
        book(account.company, draft_with(courier="ekart", order_number="T-2"))
    sandbox.set_faults()
    assert Shipment.objects.get().status == "failed"
    assert book(account.company, draft_with(courier="ekart", order_number="T-2")).status_code == 201
