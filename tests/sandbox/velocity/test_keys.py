"""The key, and the older login with its dangers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.velocity_sandbox_client import API, Velocity

LOGIN = {"username": "+919876543210", "password": "sandbox"}


@pytest.fixture(scope="module")
def locked() -> Iterator[Velocity]:
    """One of its own, since a login that is locked or revoked is so for all."""
    with SandboxProcess("velocity", "--hold", "--token-life", "3600") as running:
        yield Velocity(running)


def track_with(velocity: Velocity, header: str) -> requests.Response:
    headers = {"Authorization": header}
    return velocity.call("order-tracking", {"awbs": ["X"]}, headers=headers)


def login(velocity: Velocity, **changes: str) -> requests.Response:
    return requests.post(f"{velocity.url}{API}/auth-token", json=LOGIN | changes, timeout=5)


def test_a_key_is_sent_raw_or_after_bearer(velocity: Velocity) -> None:
    for header in ("sandbox", "Bearer sandbox", "sandbox@another shop"):
        assert track_with(velocity, header).status_code == 200, header
    velocity.switch(key_scheme="raw")
    assert track_with(velocity, "Bearer sandbox").status_code == 401
    velocity.switch(key_scheme="bearer")
    assert track_with(velocity, "sandbox").status_code == 401


@pytest.mark.parametrize("header", ["", "wrong", "Token sandbox", "sandbox2"])
def test_a_wrong_key_is_a_401_in_velocitys_form(velocity: Velocity, header: str) -> None:
    answer = track_with(velocity, header)
    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    assert answer.json()["error"]


def test_a_new_login_revokes_the_token_of_the_one_before(locked: Velocity) -> None:
    first, second = (login(locked).json()["token"] for _ in "ab")
    assert track_with(locked, first).status_code == 401
    assert track_with(locked, second).status_code == 200
    assert track_with(locked, "sandbox").status_code == 200, "the key stays"
    locked.sandbox.post("/_sandbox/revoke-token", {})
    assert track_with(locked, second).status_code == 401


def test_a_login_tells_when_it_ends_in_india_without_a_zone(locked: Velocity) -> None:
    ends = dt.datetime.fromisoformat(login(locked).json()["expires_at"])
    assert ends.tzinfo is None
    utc = ends - dt.timedelta(hours=5, minutes=30)
    seconds = (utc - dt.datetime.now(dt.UTC).replace(tzinfo=None)).total_seconds()
    assert 3500 < seconds < 3700


def test_five_wrong_logins_in_a_row_lock_the_account(locked: Velocity) -> None:
    for _ in range(4):
        assert login(locked, password="wrong").status_code == 401
    assert login(locked).status_code == 200
    for _ in range(5):
        assert login(locked, password="wrong").status_code == 401
    answer = login(locked)
    assert (answer.status_code, "locked" in answer.json()["error"]) == (401, True)
    assert track_with(locked, "sandbox").status_code == 200
    locked.sandbox.post("/_sandbox/unlock", {})
    assert login(locked).status_code == 200


def test_a_login_is_never_recorded() -> None:
    with SandboxProcess("velocity", "--record") as running:
        login(Velocity(running))
        recorded = [r for r in running.requests() if r["operation"] == "auth"]
        assert [request["body"] for request in recorded] == [None]


def test_an_unknown_path_is_a_404(velocity: Velocity) -> None:
    for path in ("cancel-reverse-order", "pickup"):
        assert velocity.call(path, {}).status_code == 404
