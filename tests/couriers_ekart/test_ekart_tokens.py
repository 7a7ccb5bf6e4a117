"""The access token under a stampede: many processes, one auth call."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from benchmarks.processes import at_once
from couriers.errors import TokenRefused, Unknown
from couriers.factory import CourierFactory
from couriers.models import CourierAccount, CourierToken
from couriers_ekart import auth
from couriers_ekart.provider import EkartAdapter
from couriers_ekart.sandbox.process import SandboxProcess
from tests.factories import CourierAccountFactory, WarehouseFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--hold", "--slow-seconds", "1") as running:
        yield running


@pytest.fixture
def account(sandbox: SandboxProcess) -> CourierAccount:
    fast = {"count": 5000, "window": 1}
    account = CourierAccountFactory(
        base_url=sandbox.url, limits={"serviceability": fast, "get_token": fast}
    )
    WarehouseFactory(company=account.company)
    return account


def client_of(account: CourierAccount) -> Any:
    adapter = EkartAdapter(account)
    return adapter.client


def test_fifty_processes_with_an_expired_token_make_one_auth_call(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    client_of(account).serviceability("560001")
    expired = timezone.now() - dt.timedelta(seconds=1)
    CourierToken.objects.update(expires_at=expired)
    before = sandbox.state()["calls"]
    sandbox.set_faults(("auth", "slow", 1))

    def work() -> float:
        started = time.monotonic()
        client_of(account).serviceability("560001")
        return time.monotonic() - started

    waits = at_once(50, work)
    sandbox.set_faults()
    after = sandbox.state()["calls"]
    assert after["auth"] - before["auth"] == 1
    assert after["serviceability"] - before["serviceability"] == 50
    assert max(waits) < 10
    assert CourierToken.objects.get().version == 2


def test_a_storm_of_401s_does_not_loop(account: CourierAccount, sandbox: SandboxProcess) -> None:
    client_of(account).serviceability("560001")
    before = sandbox.state()["calls"]
    sandbox.set_faults(("serviceability", "unauthorized", 1))

    def work() -> int:
        client, refused = client_of(account), 0
        for _ in range(5):
            try:
                client.serviceability("560001")
            except TokenRefused:
                refused += 1
        return refused

    assert at_once(8, work) == [5] * 8
    sandbox.set_faults()
    after = sandbox.state()["calls"]
    # Each process asks once whether there is a newer token, and then leaves it alone.
    assert after["auth"] - before["auth"] <= 8
    assert after["serviceability"] - before["serviceability"] == 40


def test_a_holder_that_outlived_its_lock_does_not_overwrite_a_newer_token(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    client = client_of(account)
    client.serviceability("560001")

    def fetch_while_another_is_quicker() -> Any:
        answer = client.get_token()
        CourierToken.objects.update(access_token="newer", version=7)
        return answer

    slow = auth.TokenSource(account, fetch_while_another_is_quicker)
    CourierToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    slow.current()
    stored = CourierToken.objects.get()
    assert (stored.access_token, stored.version) == ("newer", 7)


def test_a_lost_answer_to_the_auth_call_leaves_no_booking_in_doubt(
    account: CourierAccount, sandbox: SandboxProcess, no_backoff: None
) -> None:
    from couriers.booking import book
    from couriers.errors import NotSent
    from couriers.models import Shipment
    from tests.couriers.test_booking import with_

    CourierFactory.get_adapter(account)
    sandbox.set_faults(("auth", "error_before", 1))
    with pytest.raises(NotSent, match="no token is to be had"):
        book(account.company, with_(courier="ekart", order_number="T-1"))
    sandbox.set_faults()
    assert Shipment.objects.get().status == "failed"
    assert not issubclass(NotSent, Unknown)


def test_a_lost_answer_to_the_registration_leaves_no_booking_in_doubt(
    account: CourierAccount, sandbox: SandboxProcess, no_backoff: None
) -> None:
    from couriers.booking import book
    from couriers.errors import NotSent
    from couriers.models import Shipment
    from tests.couriers.test_booking import with_

    sandbox.set_faults(("add_address", "error_after", 1))
    with pytest.raises(NotSent, match="could not be registered"):
        book(account.company, with_(courier="ekart", order_number="T-2"))
    sandbox.set_faults()
    assert Shipment.objects.get().status == "failed"
    assert book(account.company, with_(courier="ekart", order_number="T-2")).status_code == 201
