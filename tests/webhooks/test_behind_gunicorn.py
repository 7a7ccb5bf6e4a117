"""The inbox behind gunicorn's threads, with no broker to be had."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shipcrowd.embedded.processes import free_port
from shipcrowd.stack import Stack
from tests.support.factories import CourierAccountFactory
from tests.support.worker import own_servers
from webhooks.models import WebhookEvent

SECRET = "a-secret-of-tests"
CALLBACKS = 200
THREADS = 8


def post(port: int, path: str, body: bytes, *, chunked: bool = False) -> tuple[int, str | None]:
    """Deliver a body; the answer's status, and the length that it states."""
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    parts: Iterator[bytes] = (body[at : at + 7] for at in range(0, len(body), 7))
    connection.request(
        "POST", path, parts if chunked else body, {"x-ekart-signature": signature},
        encode_chunked=chunked,
    )  # fmt: skip
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Length")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_callbacks_are_taken_in_at_once_in_chunks_and_without_a_broker() -> None:
    account = CourierAccountFactory(webhook_secret=SECRET)
    away = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "LOG_LEVEL": "CRITICAL"}
    with Stack(own_servers(), away) as stack:
        stack.start_web(workers=2, threads=THREADS)
        stack.until_ready()
        with ThreadPoolExecutor(THREADS) as pool:
            answers = pool.map(
                lambda n: post(stack.port, account.webhook_path, json.dumps({"id": n}).encode(),
                               chunked=n % 2 == 0),
                range(CALLBACKS),
            )  # fmt: skip
            assert set(answers) == {(200, "22")}
        too_long = b" " * 65537
        assert post(stack.port, account.webhook_path, too_long)[0] == 413
        assert post(stack.port, account.webhook_path, too_long, chunked=True)[0] == 413
    assert WebhookEvent.objects.count() == CALLBACKS
