"""The log lines about a callback have the id of the request that brought it."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract import request_ids
from tests.support.callbacks import send
from tests.support.log_lines import Lines
from webhooks import tally
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]


def test_a_callback_is_processed_under_the_id_of_its_receipt(
    account: Any, shipment: Any, lines: Lines
) -> None:
    body = {"id": shipment.tracking_id, "status": "in_transit", "hour": 1}
    received = send(account, body)[request_ids.HEADER]
    assert WebhookEvent.objects.get().request_id == received
    with request_ids.bound("task-1"):
        process_batch()
    [line] = lines.of("callback_processed")
    assert (line["request_id"], line["result"], line["account"]) == (
        received, "processed", account.pk,
    )  # fmt: skip


def test_refused_callbacks_are_logged_by_sample(
    account: Any, lines: Lines, monkeypatch: Any
) -> None:
    for _ in range(5):
        assert send(account, {"id": "T-1"}, secret="wrong").status_code == 401
    assert [line["count"] for line in lines] == [1]
    assert (lines[0]["event"], lines[0]["reason"]) == ("callback_refused", "signature")
    monkeypatch.setattr("webhooks.refusals.QUIET", 0.0)
    send(account, {"id": "T-1"}, secret="wrong")
    assert [line["count"] for line in lines] == [1, 5]
    tally.write()
    [summary] = lines.of("callbacks_refused")
    assert (summary["count"], summary["account"]) == (6, account.pk)
    assert len(summary["request_id"]) == 32
