"""Refused callbacks are limited by address; a good one is taken, and costs no Redis."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.callbacks import send
from tests.support.round_trips import count_round_trips

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]


def test_refused_callbacks_are_limited_by_address_and_good_ones_never(
    account: Any, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"THROTTLE_REFUSED_CALLBACKS": 2}
    refused = [send(account, {"n": n}, secret="wrong") for n in range(9)]
    assert [answer.status_code for answer in refused] == [401] * 7 + [429] * 2
    assert 1 <= int(refused[-1]["Retry-After"]) <= 60
    account.pk, known = "acc_unknown", account.pk
    assert send(account, {"n": 0}).status_code == 429
    account.pk = known
    assert send(account, {"n": 1}).status_code == 200


def test_a_good_callback_makes_no_round_trip_to_redis(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = count_round_trips(monkeypatch)
    assert send(account, {"n": 1}).status_code == 200
    assert trips == []


def test_the_first_refused_callbacks_of_an_address_make_none_either(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = count_round_trips(monkeypatch)
    for number in range(5):
        assert send(account, {"n": number}, secret="wrong").status_code == 401
    assert trips == []


def test_without_redis_refused_callbacks_are_answered(
    account: Any, redis_unavailable: None, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"THROTTLE_REFUSED_CALLBACKS": 1}
    found = {send(account, {"n": n}, secret="wrong").status_code for n in range(10)}
    assert found == {401}
