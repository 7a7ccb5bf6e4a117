"""System checks: an invalid setting is named, with a hint what to write instead."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings

from couriers.conf import Tunables, tunables
from couriers.contract.logins import LoginField
from couriers.contract.registry import CourierFactory
from couriers_ekart.conf import EkartTunables

# What a deployment sets, and a test does not.
DEPLOYED = {"METRICS_TOKEN": "x", "DEVELOPMENT": False}
ROOT = Path(__file__).resolve().parent.parent.parent


def found(**given: Any) -> dict[str, str]:
    with override_settings(**given):
        return {
            str(m.id): f"{m.msg} ({m.hint})" for m in run_checks(include_deployment_checks=True)
        }


def stored_by(backend: str, **options: Any) -> dict[str, Any]:
    """Settings that keep documents with this backend."""
    documents = {"BACKEND": backend, "OPTIONS": options}
    return {
        "SHIPCROWD": {"STORAGE": "documents"},
        "STORAGES": {**settings.STORAGES, "documents": documents},
    }


def test_the_projects_own_settings_have_no_errors() -> None:
    assert not {
        id_ for id_ in found(SHIPCROWD=settings.SHIPCROWD | DEPLOYED) if id_.startswith("couriers")
    }


@pytest.mark.parametrize(
    ("given", "id_", "words"),
    [
        ({"SHIPCROWD": {"BOKING_LEASE": 1}}, "couriers.E001", "known: ACTION_LEASE"),
        ({"SHIPCROWD": {"INBOX_BATCH": "many"}}, "couriers.E002", "must be like 500"),
        ({"SHIPCROWD": {"PAGE_SIZE": 500}}, "couriers.E002", "must be 1 to 200, not 500"),
        ({"SHIPCROWD": {"PAGE_SIZE": 0}}, "couriers.E002", "must be 1 to 200, not 0"),
        ({"SHIPCROWD": {"BULK_THREADS": 0}}, "couriers.E002", "must be 1 to 64, not 0"),
        ({"SHIPCROWD": {"RETENTION_KEYS_DAYS": 10**9}}, "couriers.E002", "must be 1 to 36500"),
        ({"SHIPCROWD": {"QUOTE_CACHE": float("nan")}}, "couriers.E002", "must be 0 to"),
        ({"SHIPCROWD": {"QUOTE_CACHE": float("inf")}}, "couriers.E002", "must be 0 to"),
        ({"SHIPCROWD": {"PRICING": "no.such.thing"}}, "couriers.E005", "'PRICING'"),
        (
            {"SHIPCROWD": {"PRICING": "couriers.rates.pricing.log"}},
            "couriers.E005",
            "company_price",
        ),
        (
            {"SHIPCROWD": {"PRICING": "couriers.rates.pricing._QUOTES"}},
            "couriers.E005",
            "be called",
        ),
        ({"SHIPCROWD": {"STORAGE": "nowhere"}}, "couriers.E006", "'nowhere'"),
        (stored_by("no.such.Storage"), "couriers.E006", "Could not find backend"),
        (stored_by("couriers.conf.tunables", location="x"), "couriers.E006", "takes its OPTIONS"),
        ({"SHIPCROWD": []}, "couriers.E002", "must be a dict"),
        ({"FERNET_KEYS": []}, "couriers.E003", "list of random strings"),
        ({"FERNET_KEYS": None}, "couriers.E003", "list of random strings"),
        ({"FERNET_KEYS": "a-key"}, "couriers.E003", "list of random strings"),
        ({"FERNET_KEYS": [""]}, "couriers.E003", "list of random strings"),
        ({"SHIPCROWD": {"METRICS_TOKEN": b"token"}}, "couriers.E002", "must be a text"),
        ({"SHIPCROWD": {"PRICING": "tests.support.broken.price"}}, "couriers.E005", "RuntimeError"),
        (
            {
                "CACHES": {
                    "default": {
                        "BACKEND": "django_redis.cache.RedisCache",
                        "LOCATION": "redis://127.0.0.1:9",
                    }
                }
            },
            "couriers.W019",
            "SOCKET_TIMEOUT",
        ),
        (
            {
                "CACHES": {
                    "default": {
                        "BACKEND": "django_redis.cache.RedisCache",
                        "LOCATION": "redis://127.0.0.1:9",
                        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 5},
                    }
                }
            },
            "couriers.W019",
            "Set both to 0.5",
        ),
        ({"SHIPCROWD": {"BOOKING_LEASE": 140.0}}, "couriers.E004", "more than 143.05"),
        ({"SHIPCROWD": {}}, "couriers.E007", "is not set"),
        ({"SHIPCROWD": {"BASE_URL": "http://shop.example"}}, "couriers.E007", "https://"),
        ({"SHIPCROWD": {"BASE_URL": "https://shop.example/?a"}}, "couriers.E007", "no query"),
        ({"SHIPCROWD": {"BASE_URL": "https://a:b@shop.example"}}, "couriers.E007", "no login"),
        ({"SHIPCROWD": {"BASE_URL": "https://shop.example:0"}}, "couriers.E007", "a port of"),
        ({"SHIPCROWD": {"BASE_URL": "https://0x7f.1/ship"}}, "couriers.E007", "usual form"),
        ({"SHIPCROWD": {"BASE_URL": "https://[x/ship"}}, "couriers.E007", "is not a URL"),
        (
            {"SHIPCROWD": {"BASE_URL": "https://shop.example"}, "FORCE_SCRIPT_NAME": "/ship"},
            "couriers.E007",
            "its path must be FORCE_SCRIPT_NAME, '/ship'",
        ),
        ({"SHIPCROWD": {"METRICS_TOKEN": ""}}, "couriers.W002", "bearer token"),
        ({"SHIPCROWD": {"DEVELOPMENT": True}}, "couriers.W032", "needs no token"),
        ({"SHIPCROWD": {"DEVELOPMENT": "no"}}, "couriers.E002", "must be like False"),
        (
            {
                "CACHES": {
                    "default": {
                        "BACKEND": "django_redis.cache.RedisCache",
                        "LOCATION": "redis://:a-password@127.0.0.1:9",
                    }
                }
            },
            "couriers.W018",
            "does not answer (ConnectionError)",
        ),
        ({"SHIPCROWD": {"COURIERS": {"ekart": {"X": 1}}}}, "couriers_ekart.E001", "READ_TIMEOUT"),
        (
            {"SHIPCROWD": {"COURIERS": {"ekart": {"READ_TIMEOUT": None}}}},
            "couriers_ekart.E002",
            "must be like 20.0",
        ),
    ],
)
def test_an_invalid_setting_is_named_with_a_hint(given: Any, id_: str, words: str) -> None:
    assert words in found(**given)[id_]


@pytest.mark.django_db
def test_the_migrations_match_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("given", [{"PAGE_SIZE": 500}, {1: 500}, [], None])
def test_the_default_replaces_an_invalid_setting(given: Any) -> None:
    with override_settings(SHIPCROWD=given):
        assert tunables().PAGE_SIZE == 50


def test_a_base_url_without_https_is_an_error_unless_it_is_local(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EKART_BASE_URL", "http://ekart.example")
    assert "must begin with https" in found()["couriers_ekart.E003"]
    monkeypatch.setenv("EKART_BASE_URL", "http://127.0.0.1:8900")
    assert "couriers_ekart.E003" not in found()
    deployed = settings.SHIPCROWD | {"DEVELOPMENT": False}
    assert "for development" in found(SHIPCROWD=deployed)["couriers_ekart.E003"]
    assert "couriers_ekart.E003" not in found(SHIPCROWD=deployed, DEBUG=True)


@pytest.mark.parametrize(
    ("names", "identity", "words"),
    [
        (("api key",), (), "may not be named 'api key'"),
        (("ApiKey",), (), "may not be named 'ApiKey'"),
        (("base_url",), (), "may not be named 'base_url'"),
        (("key", "key"), (), "declares 'key' twice"),
        (("key",), ("client_id",), "compares logins by 'client_id'"),
    ],
)
def test_a_login_that_a_plug_in_declares_wrongly_is_an_error(
    names: tuple[str, ...],
    identity: tuple[str, ...],
    words: str,
    toy: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "couriers.E021" not in found()
    monkeypatch.setattr(toy, "login_fields", tuple(LoginField(name, name) for name in names))
    monkeypatch.setattr(toy, "login_identity", identity)
    assert words in found()["couriers.E021"]


def test_a_command_does_not_start_with_an_invalid_setting() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"EKART_BASE_URL": "ftp://ekart.example"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "couriers_ekart.E003" in done.stderr


def test_every_setting_and_check_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    names = {f.name for kind in (Tunables, EkartTunables) for f in dataclasses.fields(kind)}
    assert not {name for name in names if f"`{name}`" not in page}
    ids = set()
    for path in (
        *ROOT.glob("couriers/operations/*_checks.py"),
        *ROOT.glob("webhooks/*_checks.py"),
        *ROOT.glob("shipcrowd/*_checks.py"),
    ):
        text = path.read_text()
        ids |= set(re.findall(r"\b(?:couriers|webhooks|shipcrowd)\.[EW]\d{3}\b", text))
    ids |= {f"couriers_{code}.E00{n}" for code in CourierFactory.codes() for n in (1, 2, 3)}
    assert len(ids) >= 11
    assert not {id_ for id_ in ids if f"`{id_}`" not in page}
    readers = ("shipcrowd/settings.py", "gunicorn.conf.py", "shipcrowd/telemetry/tracing.py")
    code = "".join((ROOT / name).read_text() for name in readers)
    variables = set(re.findall(r'(?:env|environ)\.\w+\(\s*"([A-Z_]+)"', code))
    assert "OTEL_SERVICE_NAME" in variables
    variables.remove("PYTEST_XDIST_WORKER")
    assert not {name for name in variables if f"`{name}`" not in page}
