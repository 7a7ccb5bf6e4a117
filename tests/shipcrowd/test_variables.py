"""A wrong or missing variable ends each kind of process at its start, by name and example."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = str(ROOT / "shipcrowd" / "settings.py")
GUNICORN = str(ROOT / "gunicorn.conf.py")
PASSWORD = "hidden-password"
GOOD = {
    "DATABASE_URL": f"postgres://nobody:{PASSWORD}@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "x" * 50,
    "FERNET_KEYS": "key",
}
NAMES = (
    *GOOD, "DEBUG", "DEVELOPMENT", "ALLOWED_HOSTS", "APP_BASE_URL", "METRICS_TOKEN",
    "ALLOW_PRIVATE_COURIERS", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "TRUSTED_PROXIES", "STAFF_TOTP",
    "CONN_MAX_AGE", "MEDIA_ROOT", "LOG_LEVEL", "WEB_SOCKET", "WEB_WORKERS", "WEB_THREADS",
    "PYTEST_XDIST_WORKER", "OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN", "DATABASE_POOLER",
    "DATABASE_DIRECT_URL", "PROMETHEUS_MULTIPROC_DIR", "METRICS_TOKEN_FILE",
    "PROMETHEUS_URL",
)  # fmt: skip

Captured = pytest.CaptureFixture[str]
# The variable, its value, None for one that is not set, and words of the message.
WRONG = [
    ("DATABASE_URL", f"mysql://u:{PASSWORD}@h/n", "is not the URL of a PostgreSQL database"),
    ("DATABASE_URL", f"postgres://u:{PASSWORD}@h", "is not the URL of a PostgreSQL database"),
    ("DATABASE_URL", f"postgres://u:{PASSWORD}@h:x/n", "is not the URL of a PostgreSQL"),
    ("DATABASE_URL", "postgres:///n", "is not the URL of a PostgreSQL database"),
    ("DATABASE_URL", None, "is not set, and REDIS_URL is"),
    ("REDIS_URL", f"http://:{PASSWORD}@h/0", "is not the URL of a Redis"),
    ("REDIS_URL", "redis://h/zero", "is not the URL of a Redis"),
    ("DATABASE_URL", f"postgres://u:{PASSWORD}@h/n?sslmod=require", "does not have: 'sslmod'"),
    ("REDIS_URL", f"redis://:{PASSWORD}@h/0?sslmode=require", "has an option that is none of"),
    ("REDIS_URL", f"rediss://:{PASSWORD}@h/0?ssl_cert_reqs=bogus", "has a wrong value"),
    ("REDIS_URL", None, "is not set, and DATABASE_URL is"),
    ("DATABASE_DIRECT_URL", PASSWORD, "is not the URL of a PostgreSQL database"),
    ("DATABASE_POOLER", "statement", "write one of none, session, transaction"),
    ("SECRET_KEY", None, "is not set"),
    ("SECRET_KEY", "", "is not set"),
    ("FERNET_KEYS", None, "is not set"),
    ("FERNET_KEYS", " , ", "has no key"),
    ("DEBUG", "maybe", "is 'maybe': write true or false"),
    ("DEVELOPMENT", "2", "write true or false"),
    ("ALLOW_PRIVATE_COURIERS", "perhaps", "write true or false"),
    ("SECURE_SSL_REDIRECT", "enabled", "write true or false"),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "?", "write true or false"),
    ("SECURE_HSTS_PRELOAD", "tru", "write true or false"),
    ("SECURE_HSTS_SECONDS", "1 year", "write a whole number from 0"),
    ("TRUSTED_PROXIES", "11", "write a whole number from 0 to 10"),
    ("TRUSTED_PROXIES", "-1", "write a whole number from 0 to 10"),
    ("CONN_MAX_AGE", "1_0", "write a whole number"),
    ("WEB_THREADS", "many", "write a whole number from 1 to 1024"),
    ("ALLOWED_HOSTS", "https://ship.example.com", "has 'https://ship.example.com', which is no"),
    ("ALLOWED_HOSTS", "ship.example.com:443", "which is no host name"),
    ("ALLOWED_HOSTS", " , ", "has no host name"),
    ("APP_BASE_URL", "ship.example.com", "is not an http or https URL"),
    ("APP_BASE_URL", "https://ship.example.com/?a=1", "is not an http or https URL"),
    ("METRICS_TOKEN", "hidden password", "has spaces or characters beyond ASCII"),
    ("PROMETHEUS_URL", "prometheus:9090", "is not an http or https URL"),
    ("STAFF_TOTP", "always", "is 'always': write one of off, optional, required"),
    ("METRICS_TOKEN_FILE", "/nowhere", "cannot be read"),
    ("MEDIA_ROOT", SETTINGS, "which is not a folder"),
    ("LOG_LEVEL", "LOUD", "is 'LOUD': write one of DEBUG, INFO"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "is not an http or https URL"),
]
WRONG_OF_GUNICORN = [
    ("WEB_WORKERS", "0", "write a whole number from 1"),
    ("WEB_WORKERS", "four", "write a whole number from 1"),
    ("WEB_THREADS", "", None),
    ("WEB_THREADS", "0", "write a whole number from 1"),
    ("WEB_SOCKET", "/nowhere/web.sock", "its folder must exist and be writable"),
    ("WEB_SOCKET", "web.sock", "its folder must exist and be writable"),
    ("LOG_LEVEL", "info", "write one of DEBUG, INFO"),
]


def environment(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    """Set the variables of a good environment with some changes; None is one that is not set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**GOOD, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)


def refused(path: str, name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that running the file ends the process with a message about the variable."""
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(path)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"{name} ")
    assert words in said
    assert "hidden" not in said
    assert said.count("\n") == 1
    assert f"{name}=" in said


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_settings_with_a_wrong_variable_end_the_process(
    name: str, value: str | None, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    environment(monkeypatch, **{name: value})
    refused(SETTINGS, name, words, capsys)


@pytest.mark.parametrize(("name", "value", "words"), WRONG_OF_GUNICORN)
def test_gunicorn_with_a_wrong_variable_ends(
    name: str, value: str, words: str | None, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    environment(monkeypatch, **{name: value})
    if words is None:  # an empty variable is one that is not set
        assert runpy.run_path(GUNICORN)["threads"] == 64
    else:
        refused(GUNICORN, name, words, capsys)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SHIPCROWD_EMBEDDED_DIR", "/proc/x"), ("SHIPCROWD_EMBEDDED_INSTANCE", "../x")],
)
def test_embedded_servers_that_have_no_place_end_the_process(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    environment(monkeypatch, DATABASE_URL=None, REDIS_URL=None, **{name: value})
    with pytest.raises(SystemExit):
        runpy.run_path(SETTINGS)
    said = capsys.readouterr().err
    assert value.removeprefix("/proc") in said
    assert f"{name}=" in said
    assert said.count("\n") == 1


def test_every_variable_that_the_settings_read_is_in_the_table() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', Path(SETTINGS).read_text()))
    any_text = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "SHIPCROWD_EMBEDDED_INSTANCE"}
    of_tests = {"PYTEST_XDIST_WORKER"}
    by_process = {"SENTRY_DSN"}  # below
    assert read - any_text - of_tests - by_process == {name for name, *_ in WRONG} - {
        "SECRET_KEY", "FERNET_KEYS", "METRICS_TOKEN_FILE",
    }  # fmt: skip


def test_without_a_socket_gunicorn_listens_to_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment(monkeypatch, PORT="8000")
    assert runpy.run_path(GUNICORN)["bind"] == "127.0.0.1:8000"


PROCESSES = {
    "web": ["-m", "gunicorn", "shipcrowd.wsgi", "--bind", "127.0.0.1:0"],
    "worker": ["-m", "celery", "-A", "shipcrowd", "worker", "--pool", "solo"],
    "beat": ["-m", "celery", "-A", "shipcrowd", "beat"],
    "command": ["manage.py", "seed_couriers"],
}
# A variable that the settings refuse, one that a system check refuses (couriers.E007), and one that
# the SDK of Sentry refuses.
REFUSALS = [
    {"TRUSTED_PROXIES": "two"},
    {"APP_BASE_URL": "http://ship.example.com"},
    {"SENTRY_DSN": PASSWORD},
]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", REFUSALS, ids=lambda wrong: next(iter(wrong)))
def test_each_kind_of_process_ends_at_its_start(wrong: dict[str, str], tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    clean |= GOOD | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"} | wrong
    # Beat deletes a file in this place that is no schedule.
    own_schedule = ["--schedule", str(tmp_path / "schedule")]
    started = {
        kind: subprocess.Popen(
            [sys.executable, *arguments, *(own_schedule if kind == "beat" else [])],
            env=clean, cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for kind, arguments in PROCESSES.items()
    }  # fmt: skip
    try:
        ended = {kind: process.communicate(timeout=120)[1] for kind, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
            process.wait()
    [name] = wrong
    told_as = {"APP_BASE_URL": "couriers.E007"}.get(name, f"{name} is")
    for kind, said in ended.items():
        assert started[kind].returncode not in (0, None), kind
        assert told_as in said, (kind, said)
        assert "Traceback" not in said, (kind, said)
        assert "hidden" not in said, (kind, said)


def test_the_settings_of_the_tests_pass_the_checks_of_a_process() -> None:
    from shipcrowd.startup import refuse_to_start_with_errors

    refuse_to_start_with_errors()
    assert settings.SHIPCROWD["BASE_URL"]
