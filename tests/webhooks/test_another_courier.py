"""Callbacks of a courier whose receiver is registered with the factory, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.test import Client

from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.receiver import Callback, CourierEvent, MalformedEvent, Topic
from couriers.contract.registry import CourierFactory
from couriers.contract.signatures import StaticHeaderReceiver
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import Scan
from tests.support.callbacks import callback_path
from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

SEEN = "2026-11-24T05:30:00+05:30"


class OtherAdapter(BaseCourierAdapter):
    code = "other-courier"
    name = "Other courier"
    mapper = StatusMapper({"moving": Status.IN_TRANSIT, "arrived": Status.DELIVERED})


class OtherReceiver(StaticHeaderReceiver):
    """Callbacks are signed by a static header, and each has the events of several parcels."""

    shown_ids = frozenset({"parcels", "number", "seen"})
    shown_words = frozenset({"state", "city"})

    secret_header = "x-other-token"

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return Topic.TRACK_UPDATED if payload.get("parcels") else Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        try:
            return [self._event(parcel) for parcel in payload["parcels"]]
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEvent(f"has no list of parcels: {error}") from None

    def _event(self, parcel: Mapping[str, Any]) -> CourierEvent:
        at = dt.datetime.fromisoformat(parcel["seen"])
        scan = Scan(OtherAdapter.mapper.map(parcel["state"]), at, parcel.get("city", ""))
        return CourierEvent(Topic.TRACK_UPDATED, parcel["number"], scan=scan)


class StrictReceiver(OtherReceiver):
    """A courier whose callbacks name themselves in the query, too, and come from one address."""

    def verify(self, callback: Callback, secrets: Sequence[str]) -> bool:
        return (callback.query.get("from"), callback.address) == ("other", "203.0.113.7")


@pytest.fixture
def account(db: None, no_dispatch: None) -> Iterator[Any]:
    CourierFactory.register(OtherAdapter, OtherReceiver())
    yield CourierAccountFactory(courier=CourierRowFactory(code="other-courier"))
    CourierFactory.unregister("other-courier")


def send(account: Any, parcels: Any, token: str = "a-secret-of-tests") -> int:
    answer = Client().post(
        callback_path(account), json.dumps({"parcels": parcels}), "application/json",
        headers={"x-other-token": token},
    )  # fmt: skip
    return answer.status_code


def test_its_callbacks_are_received_and_applied(account: Any) -> None:
    one = ShipmentFactory(account=account)
    other = ShipmentFactory(account=account, warehouse=one.warehouse)
    parcels = [
        {"number": one.tracking_id, "state": "arrived", "seen": SEEN},
        {"number": other.tracking_id, "state": "moving", "seen": SEEN, "city": "PUNE"},
    ]
    assert send(account, parcels, "wrong") == 401
    assert send(account, parcels) == 200
    process_batch()
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.status, other.status) == ("delivered", "in_transit")
    assert WebhookEvent.objects.get().state == "processed"


def test_a_receiver_gets_the_query_and_the_senders_address(account: Any) -> None:
    CourierFactory.register(OtherAdapter, StrictReceiver())

    def answer(query: str, address: str = "203.0.113.7") -> int:
        return (
            Client()
            .post(callback_path(account) + query, b"{}", "application/json", REMOTE_ADDR=address)
            .status_code
        )

    assert answer("?from=other") == 200
    for query in ("", "?from=x", "?" + "&".join(f"a{n}=1" for n in range(2000)), "?from=%ff"):
        assert answer(query) == 401
    assert answer("?from=other", "203.0.113.8") == 401


def test_operators_see_the_fields_that_it_lists(account: Any, admin_client: Client) -> None:
    parcel = {"number": "P-1", "seen": SEEN, "state": "moving", "contact": "Asha"}
    assert send(account, [parcel]) == 200
    event = WebhookEvent.objects.get()
    answer = admin_client.get(f"/api/v1/ops/webhook-events/{event.pk}/")
    assert answer.json()["payload"] == {"parcels": [parcel | {"contact": "•••"}]}


def test_a_callback_with_one_unknown_parcel_waits_and_the_known_one_is_applied(
    account: Any,
) -> None:
    one = ShipmentFactory(account=account)
    parcels = [
        {"number": number, "state": "moving", "seen": SEEN} for number in (one.tracking_id, "LATE")
    ]
    assert send(account, parcels) == 200
    assert process_batch().waiting == 1
    one.refresh_from_db()
    assert one.status == "in_transit"


def test_a_callback_that_it_cannot_read_is_dead_with_its_own_reason(account: Any) -> None:
    assert send(account, [7]) == 200
    process_batch()
    assert "has no list of parcels" in WebhookEvent.objects.get().reason
