"""A storefront books orders of three kinds, and knows the end of each by events alone.

A run has STOREFRONT_ORDERS of them: 24 where nothing else is said, 200 where somebody waits for it.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from couriers.models import Event, Shipment
from couriers.models.addresses import url_of
from sandbox.process import SandboxProcess
from tests.support.callbacks import SECRET
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.generated_client import generated_client, part
from tests.support.shop import Storefront
from webhooks.outbox.run import run_outbox
from webhooks.processing import process_batch

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ORDERS = int(os.environ.get("STOREFRONT_ORDERS", "24"))
SECONDS = 40 + ORDERS  # for all parcels to arrive
LIMITED = ("create_shipment", "track", "ndr")
OUTCOMES = "delivered=40,rto=30,undelivered=30"


@pytest.fixture
def account(live_server: Any, settings: Any) -> Iterator[Any]:
    """A company's account at a sandbox whose callbacks come to the test's web server."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": live_server.url, "THROTTLE_KEY": 100_000}
    fast = {"count": 1000, "window": 1}
    account = CourierAccountFactory(company=CompanyFactory(), limits=dict.fromkeys(LIMITED, fast))
    WarehouseFactory(company=account.company)
    url = url_of("shipcrowd_webhooks:receive", "ekart", account.pk)
    flags = ("--pace", "0.2", "--outcomes", OUTCOMES, "--webhook", url, SECRET)
    with SandboxProcess("ekart", *flags) as sandbox:
        account.base_url = sandbox.url
        account.save()
        account.sandbox = sandbox
        yield account


@pytest.fixture
def storefront(account: Any, live_server: Any, tmp_path: Any) -> Iterator[Storefront]:
    with generated_client(tmp_path):
        client = part("client").AuthenticatedClient
        yield Storefront(client(base_url=live_server.url, token=make_api_key(account.company)))


def test_a_storefront_knows_the_end_of_every_order_by_events_alone(
    storefront: Storefront, account: Any
) -> None:
    numbers = [f"S-{number}" for number in range(ORDERS)]
    with storefront.receiving() as url:
        storefront.subscribe(url)
        storefront.book_all(numbers)
        deadline = time.monotonic() + SECONDS
        while len(storefront.ended()) < ORDERS and time.monotonic() < deadline:
            while process_batch().claimed:
                pass
            run_outbox()
            storefront.decide()
            time.sleep(0.05)
    ended = storefront.ended()
    assert set(ended) == set(numbers)
    # What it was told is what is stored, and what the courier says.
    assert ended == dict(Shipment.objects.values_list("order_number", "status"))
    there = {s["order_number"]: s["status"] for s in account.sandbox.shipments()}
    assert Counter(there.values()).keys() == {"Delivered", "RTO Delivered"}
    words = {"delivered": "Delivered", "rto_delivered": "RTO Delivered"}
    assert {number: words[status] for number, status in ended.items()} == there
    # Three kinds: at once, back to the shop, and after another attempt that the shop asked for.
    kinds = Counter(
        (statuses[-1], "undelivered" in statuses) for statuses in storefront.statuses.values()
    )
    assert kinds[("delivered", False)]
    assert kinds[("delivered", True)]
    assert kinds[("rto_delivered", True)]
    # Every event once, none refused, each shipment's in the order of its changes.
    assert storefront.refused == 0
    assert storefront.seen == set(Event.objects.values_list("pk", flat=True))
    assert all(statuses[0] == "booked" for statuses in storefront.statuses.values())
