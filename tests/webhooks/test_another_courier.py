"""Another courier's callbacks: a receiver registered with the factory, and nothing else."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.test import Client

from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.receiver import CourierEvent, MalformedEvent, Topic, WebhookReceiver
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import Scan
from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory
from webhooks.models import WebhookEvent
from webhooks.processing import drain


class PigeonAdapter(BaseCourierAdapter):
    code = "pigeon-post"
    name = "Pigeon Post"
    mapper = StatusMapper({"flying": Status.IN_TRANSIT, "landed": Status.DELIVERED})


class PigeonReceiver(WebhookReceiver):
    """A static header; several birds in one callback."""

    shown_ids = frozenset({"birds", "ring", "seen"})
    shown_words = frozenset({"state", "over"})

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        given = headers.get("x-pigeon-token", "").encode()
        return any(hmac.compare_digest(given, secret.encode()) for secret in secrets)

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return Topic.TRACK_UPDATED if payload.get("birds") else Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        try:
            return [self._event(bird) for bird in payload["birds"]]
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEvent(f"is no flock: {error}") from None

    def _event(self, bird: Mapping[str, Any]) -> CourierEvent:
        at = dt.datetime.fromisoformat(bird["seen"])
        scan = Scan(PigeonAdapter.mapper.map(bird["state"]), at, bird.get("over", ""))
        return CourierEvent(Topic.TRACK_UPDATED, bird["ring"], scan=scan)


@pytest.fixture
def account(db: None, no_nudges: None) -> Iterator[Any]:
    CourierFactory.register(PigeonAdapter, PigeonReceiver())
    yield CourierAccountFactory(courier=CourierRowFactory(code="pigeon-post"))
    CourierFactory.unregister("pigeon-post")


def send(account: Any, birds: Any, token: str = "a-secret-of-tests") -> int:
    answer = Client().post(
        account.webhook_path, json.dumps({"birds": birds}), "application/json",
        headers={"x-pigeon-token": token},
    )  # fmt: skip
    return answer.status_code


def test_its_callbacks_are_received_and_applied(account: Any) -> None:
    one = ShipmentFactory(account=account)
    other = ShipmentFactory(account=account, warehouse=one.warehouse)
    seen = "2026-11-24T05:30:00+05:30"
    flock = [
        {"ring": one.tracking_id, "state": "landed", "seen": seen},
        {"ring": other.tracking_id, "state": "flying", "seen": seen, "over": "PUNE"},
    ]
    assert send(account, flock, "wrong") == 401
    assert send(account, flock) == 200
    drain()
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.status, other.status) == ("delivered", "in_transit")
    assert WebhookEvent.objects.get().state == "processed"


def test_operators_see_what_it_names(account: Any, admin_client: Client) -> None:
    bird = {"ring": "R-1", "seen": "2026-11-24T05:30:00+05:30", "state": "flying", "keeper": "Asha"}
    assert send(account, [bird]) == 200
    event = WebhookEvent.objects.get()
    answer = admin_client.get(f"/api/v1/ops/webhook-events/{event.pk}/")
    assert answer.json()["payload"] == {"birds": [bird | {"keeper": "•••"}]}


def test_a_flock_with_one_unknown_bird_waits_and_is_applied_as_far_as_known(account: Any) -> None:
    one = ShipmentFactory(account=account)
    seen = "2026-11-24T05:30:00+05:30"
    flock = [{"ring": ring, "state": "flying", "seen": seen} for ring in (one.tracking_id, "LATE")]
    assert send(account, flock) == 200
    assert drain().waiting == 1
    one.refresh_from_db()
    assert one.status == "in_transit"


def test_what_it_cannot_read_is_dead_with_its_own_words(account: Any) -> None:
    assert send(account, [7]) == 200
    drain()
    assert "is no flock" in WebhookEvent.objects.get().reason
