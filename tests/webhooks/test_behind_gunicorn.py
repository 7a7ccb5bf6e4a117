"""The inbox behind nginx and gunicorn, with several processes and threads, without a broker."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shipcrowd.embedded.processes import free_port
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path, ekart_signature
from tests.support.factories import CourierAccountFactory
from tests.support.nginx import needs_nginx
from tests.support.worker import own_servers
from webhooks.models import WebhookEvent

CALLBACKS = 200
THREADS = 8


def post(port: int, path: str, body: bytes, *, chunked: bool = False) -> tuple[int, str | None]:
    """Send a body; return the answer's status and its Content-Length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    parts: Iterator[bytes] = (body[at : at + 7] for at in range(0, len(body), 7))
    connection.request(
        "POST", path, parts if chunked else body, {"x-ekart-signature": ekart_signature(body)},
        encode_chunked=chunked,
    )  # fmt: skip
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Length")


@needs_nginx
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_and_chunked_callbacks_are_stored_without_a_broker() -> None:
    account = CourierAccountFactory(webhook_secret=SECRET)
    no_broker = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "LOG_LEVEL": "CRITICAL"}
    with Stack(own_servers(), no_broker) as stack:
        stack.start_web()
        stack.wait_until_ready()
        with ThreadPoolExecutor(THREADS) as pool:
            answers = pool.map(
                lambda n: post(stack.port, callback_path(account), json.dumps({"id": n}).encode(),
                               chunked=n % 2 == 0),
                range(CALLBACKS),
            )  # fmt: skip
            assert set(answers) == {(200, "22")}
        too_long = b" " * 65537
        assert post(stack.port, callback_path(account), too_long)[0] == 413
        assert (
            post(
                stack.port,
                callback_path(account),
                too_long,
                chunked=True,
            )[0]
            == 413
        )
    assert WebhookEvent.objects.count() == CALLBACKS
