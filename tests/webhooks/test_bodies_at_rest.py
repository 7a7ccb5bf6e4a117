"""Bodies of callbacks are encrypted, and one that cannot be decrypted holds up nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection
from django.test import Client

from couriers.models import Scan, Shipment
from couriers.models.fields import EncryptedBytesField
from tests.support.callbacks import other_connection, send
from tests.support.factories import make_staff
from webhooks import tasks, waiting
from webhooks.models import WebhookEvent
from webhooks.payloads import UnreadableBody, content_hash
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]

TABLE = WebhookEvent._meta.db_table
LOST_KEY = Fernet(Fernet.generate_key())


def scan(shipment: Shipment, hour: int) -> dict[str, Any]:
    return {"id": shipment.tracking_id, "status": "in_transit", "hour": hour, "to": "98765 43210"}


def stored(column: str) -> list[bytes]:
    """Return the column as it is in the table, in the order of ids."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {TABLE} ORDER BY id")
        return [bytes(value) for (value,) in cursor.fetchall()]


def lose_key(event: WebhookEvent) -> None:
    """Encrypt the event's body with a key that nobody has."""
    with connection.cursor() as cursor:
        token = LOST_KEY.encrypt(event.read_body())
        cursor.execute(f"UPDATE {TABLE} SET body = %s WHERE id = %s", [token, event.pk])


def test_neither_body_nor_plain_hash_is_stored(account: Any, shipment: Shipment) -> None:
    body = scan(shipment, 1)
    send(account, body)
    assert b"98765" not in stored("body")[0]
    assert WebhookEvent.objects.get().read_body() == json.dumps(body).encode()
    # Whoever has the table alone cannot find out whether a guessed content is in it.
    assert stored("content_hash") != [content_hash(body)]
    assert len(stored("content_hash")[0]) == hashlib.sha256().digest_size


def test_the_hash_outlives_a_rotation_of_fernet_keys(
    account: Any, shipment: Shipment, settings: Any
) -> None:
    send(account, scan(shipment, 1))
    settings.FERNET_KEYS = ["new", *settings.FERNET_KEYS]
    send(account, scan(shipment, 1))
    assert WebhookEvent.objects.count() == 1


def test_an_undecryptable_body_is_tried_again_and_holds_up_no_other(
    account: Any, shipment: Shipment
) -> None:
    for hour in range(5):
        send(account, scan(shipment, hour))
    lost = WebhookEvent.objects.order_by("pk")[2]
    lose_key(lost)
    result = process_batch()
    assert (result.processed, result.failed, Scan.objects.count()) == (4, 1, 4)
    lost.refresh_from_db()
    assert (lost.state, lost.attempts) == ("failed", 1)
    assert lost.reason == "The body was encrypted with a key that FERNET_KEYS lack"


def test_an_undecryptable_body_is_searched_and_shown_without_a_failure(
    account: Any, shipment: Shipment, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.dispatch.request_processing", lambda: None)
    for hour in range(2):
        send(account, scan(shipment, hour))
    WebhookEvent.objects.update(state="dead")
    lost = WebhookEvent.objects.order_by("pk")[0]
    lose_key(lost)
    assert waiting.requeue_waiting(shipment.pk, shipment.tracking_id) == 1
    client.force_login(make_staff("view_webhookevent"))
    page = client.get(f"/admin/shipcrowd_webhooks/webhookevent/{lost.pk}/change/")
    assert "was encrypted with a key that FERNET_KEYS lack" in page.content.decode()
    answer = client.get(f"/api/v1/ops/webhook-events/{lost.pk}/")
    assert (answer.status_code, answer.json()["payload"]) == (200, None)


def test_an_erased_body_is_named_as_such(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, 1))
    WebhookEvent.objects.update(body=None)
    event = WebhookEvent.objects.get()
    with pytest.raises(UnreadableBody, match="has been erased"):
        event.read_body()
    process_batch()
    event.refresh_from_db()
    assert (event.state, event.reason) == ("dead", "The body has been erased")


def test_a_row_that_is_saved_again_keeps_its_body(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, 1))
    before = stored("body")
    WebhookEvent.objects.get().save()
    assert stored("body") == before
    assert isinstance(WebhookEvent._meta.get_field("body"), EncryptedBytesField)


def test_a_dump_of_the_rows_can_be_loaded_again(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, 1))
    body = WebhookEvent.objects.get().read_body()
    dumped = serializers.serialize("json", WebhookEvent.objects.all())
    WebhookEvent.objects.all().delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()
    assert WebhookEvent.objects.get().read_body() == body


@pytest.mark.django_db(transaction=True)
def test_a_replay_reads_the_encrypted_body(account: Any, shipment: Shipment) -> None:
    send(account, scan(shipment, 1))
    tasks.process_inbox()
    with other_connection() as other:
        other.execute(f"UPDATE {TABLE} SET state = 'pending'")
    Scan.objects.all().delete()
    tasks.process_inbox()
    assert Scan.objects.count() == 1
