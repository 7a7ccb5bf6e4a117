"""The inbox behind gunicorn's threads, with no broker to be had."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shipcrowd import embedded
from shipcrowd.embedded.processes import free_port
from shipcrowd.stack import SANDBOX_LOGIN, Stack

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
def test_callbacks_are_taken_in_at_once_in_chunks_and_without_a_broker() -> None:
    environment = {
        "EKART_BASE_URL": "http://127.0.0.1:9", "EKART_WEBHOOK_SECRET": SECRET,
        "LOG_LEVEL": "CRITICAL", **SANDBOX_LOGIN,
    }  # fmt: skip
    with embedded.throwaway("gunicorn") as servers, Stack(servers, environment) as stack:
        stack.migrate()
        seeded = stack.command(
            "seed_ekart", "--company", "acme", "--create", "--name", "Acme", "--gstin",
            "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode",
            "560001", "--phone", "9845012345",
        )  # fmt: skip
        path = f"/webhooks/ekart/{seeded['account_id']}/"
        away = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
        with Stack(servers, environment | away) as brokerless:
            brokerless.start_web(workers=2, threads=THREADS)
            brokerless.until_ready()
            with ThreadPoolExecutor(THREADS) as pool:
                answers = pool.map(
                    lambda n: post(brokerless.port, path, json.dumps({"id": n}).encode(),
                                   chunked=n % 2 == 0),
                    range(CALLBACKS),
                )  # fmt: skip
                assert set(answers) == {(200, "22")}
            too_long = b" " * 65537
            assert post(brokerless.port, path, too_long)[0] == 413
            assert post(brokerless.port, path, too_long, chunked=True)[0] == 413
        with psycopg.connect(servers.database_url) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM shipcrowd_webhooks_webhookevent"
            ).fetchall()[0]
    assert count == CALLBACKS
