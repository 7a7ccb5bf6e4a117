"""`check --deploy` refuses FERNET_KEYS that somebody could guess."""

from __future__ import annotations

import base64
import os
import random
import secrets
import string
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import run_checks
from django.core.management.utils import get_random_secret_key
from django.test import override_settings

from couriers.operations.key_checks import weakness

GOOD = "Yw0ZpB2hD8mKq6sV1nXeT4gLr9jCu3fA7iOzJxNbQkE"  # pragma: allowlist secret


def problems(*keys: str, **more: Any) -> list[str]:
    with override_settings(FERNET_KEYS=list(keys), **more):
        found = run_checks(include_deployment_checks=True)
        return [m.msg for m in found if m.id == "couriers.E020"]


WAYS = {
    "Fernet.generate_key": lambda random: base64.urlsafe_b64encode(random.randbytes(32)).decode(),
    "token_urlsafe": lambda random: base64.urlsafe_b64encode(random.randbytes(32)).decode()[:43],
    "token_hex": lambda random: random.randbytes(32).hex(),
    "openssl rand -base64": lambda random: base64.b64encode(random.randbytes(32)).decode(),
    "get_random_secret_key": lambda random: "".join(
        random.choices("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)", k=50)
    ),
    "letters and digits": lambda random: "".join(
        random.choices(string.ascii_letters + string.digits, k=43)
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_random_key_passes_however_it_is_written(way: str) -> None:
    source = random.Random(way)
    keys = [WAYS[way](source) for _ in range(2000)]
    assert [key for key in keys if weakness(key)] == []


def test_the_usual_tools_make_keys_that_pass() -> None:
    for key in (
        Fernet.generate_key().decode(), secrets.token_urlsafe(32), secrets.token_hex(32),
        base64.b64encode(os.urandom(32)).decode(), get_random_secret_key(),
    ):  # fmt: skip
        assert weakness(key) is None, key


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("lint", "too short"),
        ("key", "too short"),
        ("the shop's own key", "too short"),
        (base64.urlsafe_b64encode(random.Random(24).randbytes(24)).decode(), "too short"),
        (random.Random(16).randbytes(16).hex(), "too short"),
        ("7" * 43, "too short"),
        ("7" * 100, "not random"),
        ("a" * 64, "not random"),
        ("ab" * 40, "not random"),
        ("Ab1-" * 20, "not random"),
        ("0123456789abcdef" * 4, "not random"),
        (GOOD[:16] * 3, "not random"),
        ("changeme" * 8, "example or a default"),
        ("CHANGE-ME-" + GOOD, "example or a default"),
        ("django-insecure-" + GOOD, "example or a default"),
        ("my secret of production which is long enough", "example or a default"),
        ("", "too short"),
    ],
)
def test_a_weak_key_is_refused_with_its_reason(key: str, why: str) -> None:
    assert why in str(weakness(key))


def test_each_wrong_key_is_named_by_its_place_and_never_shown() -> None:
    weak = "a-weak-key"
    (found,) = problems(GOOD, weak)
    assert found.startswith("FERNET_KEYS[1] is too short")
    assert weak not in found
    assert problems(GOOD) == []


def test_a_repeated_key_and_one_with_another_use_are_refused() -> None:
    other = secrets.token_urlsafe(32)
    assert problems(GOOD, other, GOOD) == ["FERNET_KEYS[2] is FERNET_KEYS[0] again"]
    assert "is SECRET_KEY" in problems(settings.SECRET_KEY)[0]


def test_only_a_deployment_is_checked() -> None:
    with override_settings(FERNET_KEYS=["lint"]):
        assert "couriers.E020" not in {message.id for message in run_checks()}


def test_the_project_refuses_the_keys_of_development_without_debug() -> None:
    def ids(**given: Any) -> set[str]:
        with override_settings(**given):
            return {str(m.id) for m in run_checks(include_deployment_checks=True)}

    assert "shipcrowd.E001" not in ids()
    assert "shipcrowd.E001" in ids(MADE_UP_SECRETS=["FERNET_KEYS"])
    assert "shipcrowd.E001" not in ids(MADE_UP_SECRETS=["FERNET_KEYS"], DEBUG=True)
