"""Recreations have a path and a secret of their own: a signed body cannot change its path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from couriers.contract.receiver import Topic, topic_secret
from couriers.models import Shipment
from couriers.models.account import previous_secret_fields
from tests.support.callbacks import (
    SECRET,
    callback_path,
    ekart_signature,
    send,
    send_ekart,
    send_recreated,
)
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from tests.support.flags import open_flags
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]

RECREATED = Topic.SHIPMENT_RECREATED
INBOX = "webhooks.middleware.InboxMiddleware"
MIDDLEWARES = (settings.MIDDLEWARE, [name for name in settings.MIDDLEWARE if name != INBOX])


def post(path: str, body: bytes, secret: str = SECRET) -> int:
    headers = {"x-ekart-signature": ekart_signature(body, secret)}
    return Client().post(path, body, "application/json", headers=headers).status_code


@pytest.mark.parametrize("middleware", MIDDLEWARES, ids=["with", "without"])
@pytest.mark.parametrize("slash", ["/", ""])
def test_a_body_that_was_signed_for_one_path_is_401_at_the_other(
    middleware: list[str], slash: str
) -> None:
    shipment = ShipmentFactory(account=CourierAccountFactory())
    body = json.dumps({"id": "T-2", "orderNumber": shipment.order_number}).encode()
    own = callback_path(shipment.account)
    recreated = callback_path(shipment.account, RECREATED).removesuffix("/") + slash
    derived = topic_secret(SECRET, RECREATED)
    with override_settings(MIDDLEWARE=middleware):
        assert post(recreated, body) == 401
        assert post(own, body, derived) == 401
        assert not WebhookEvent.objects.exists()
        assert post(own, body) == 200
        assert post(recreated, body, derived) == 200
    assert set(WebhookEvent.objects.values_list("topic", flat=True)) == {
        "shipment_created", "shipment_recreated",
    }  # fmt: skip


def test_a_replayed_creation_with_a_topic_in_its_query_recreates_nothing() -> None:
    shipment = ShipmentFactory(account=CourierAccountFactory(), tracking_id="T-1")
    body = json.dumps({"id": "T-2", "orderNumber": shipment.order_number}).encode()
    assert send_ekart(shipment.account, body, "?topic=shipment_recreated") == 200
    process_batch()
    shipment.refresh_from_db()
    assert (shipment.tracking_id, shipment.former_tracking_ids) == ("T-1", [])
    assert [tracking_id for _, tracking_id in open_flags(shipment)] == ["T-2"]


def test_a_previous_secret_is_valid_for_both_paths() -> None:
    account = CourierAccountFactory(
        webhook_secret="the-new-secret", **previous_secret_fields("the-old-secret")
    )
    for secret in ("the-new-secret", "the-old-secret"):
        body = json.dumps({"id": "T-2", "orderNumber": "A-1", "n": secret}).encode()
        assert post(callback_path(account), body, secret) == 200
        derived = topic_secret(secret, RECREATED)
        assert post(callback_path(account, RECREATED), body, derived) == 200


@pytest.mark.parametrize("topic", ["shipment_created", "track_updated", "unknown", "x", "%00"])
@pytest.mark.parametrize("middleware", MIDDLEWARES, ids=["with", "without"])
def test_no_other_topic_has_a_path(topic: str, middleware: list[str]) -> None:
    account = CourierAccountFactory()
    path = callback_path(account) + f"{topic}/"
    with override_settings(MIDDLEWARE=middleware):
        assert post(path, b"{}") in (401, 404)
    assert not WebhookEvent.objects.exists()


def test_an_account_without_a_secret_has_no_secret_for_a_topic_either() -> None:
    account = CourierAccountFactory(webhook_secret="")
    path = callback_path(account, RECREATED)
    assert post(path, b"{}", topic_secret("", RECREATED)) == 401


@pytest.mark.parametrize("recreated_first", [True, False])
def test_a_creation_sent_to_the_path_of_recreations_is_a_recreation(
    account: Any, shipment: Shipment, recreated_first: bool
) -> None:
    body = {"id": "T-2", "order": shipment.order_number}
    doors = [send_recreated, send] if recreated_first else [send, send_recreated]
    for door in (*doors, doors[0]):
        assert door(account, body).status_code == 200
        process_batch()
    former = shipment.tracking_id
    shipment.refresh_from_db()
    assert (shipment.tracking_id, shipment.former_tracking_ids) == ("T-2", [former])
    assert open_flags(shipment) == []


def test_a_tracking_event_sent_to_the_path_of_recreations_keeps_its_topic(
    account: Any, shipment: Shipment
) -> None:
    body = {"id": shipment.tracking_id, "status": "lost", "hour": 1}
    send_recreated(account, body)
    send(account, body)
    assert WebhookEvent.objects.get().topic == "track_updated"
