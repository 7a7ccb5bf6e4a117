"""The deployment's check asks the public address whether it leads to this project."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import Client

from webhooks.probe import NothingAnswers, answer_to, problem_of

CHALLENGE = "0123456789abcdef" * 2


class Elsewhere(BaseHTTPRequestHandler):
    """A server that answers every challenge with the same text."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a" * 64)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/webhooks/"
        server.shutdown()


@pytest.mark.django_db
def test_the_project_answers_a_challenge_by_its_secret_key(live_server: Any, settings: Any) -> None:
    assert Client().get(f"/webhooks/?challenge={CHALLENGE}").content.decode() == answer_to(
        CHALLENGE
    )
    assert problem_of(f"{live_server.url}/webhooks/") is None
    before = answer_to(CHALLENGE)
    settings.SECRET_KEY = "another project's"
    assert answer_to(CHALLENGE) != before


@pytest.mark.parametrize("challenge", ["", "0" * 31, "0" * 33, "G" * 32, "\u0660" * 32, "x\x00"])
def test_only_the_checks_own_challenges_are_answered(challenge: str) -> None:
    assert Client().get("/webhooks/", {"challenge": challenge}).status_code == 404


def test_another_project_and_a_dead_address_are_told_apart(elsewhere: str) -> None:
    assert problem_of(elsewhere) == "leads to another project"
    with pytest.raises(NothingAnswers):  # a web server that is not started yet
        problem_of("http://127.0.0.1:9/webhooks/")
    assert str(problem_of("http://127.0.0.1:port/")).startswith("cannot be reached (")
