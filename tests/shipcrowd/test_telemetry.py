"""Traces and errors reach a real HTTP server, without personal data, and need none to be there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status, StatusCode

from shipcrowd.embedded.processes import free_port
from shipcrowd.telemetry.tracing import scrubbed
from tests.support import telemetry_run
from tests.support.collector import ENVELOPES, TRACES, Collector, attributes_of
from tests.support.small_courier import SmallCourier
from tests.support.worker import own_servers

ROOT = Path(__file__).resolve().parents[2]
PERSONAL = (telemetry_run.PHONE, telemetry_run.ADDRESS, telemetry_run.API_KEY, "Secret", "secret")


def run(**variables: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run the process on the test's own servers; return how it ended, and its seconds."""
    servers = own_servers()
    environment = os.environ | {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "DEVELOPMENT": "true",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        **variables,
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    started = time.monotonic()
    with SmallCourier() as courier:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.telemetry_run", courier.url],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    return done, time.monotonic() - started


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_spans_and_errors_arrive_without_personal_data() -> None:
    with Collector() as collector:
        done, _ = run(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, SENTRY_DSN=collector.dsn)
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr[-2000:]
    assert {path for path, _ in collector.bodies} == {TRACES, ENVELOPES}
    everything = b"".join(body for _, body in collector.bodies)
    assert [found for found in PERSONAL if found.encode() in everything] == []

    spans = {span.name: attributes_of(span) for span in collector.spans()}
    ids = {name: found.get("request_id") for name, found in spans.items()}
    assert ids["small track"] == ids["run/tests.telemetry"] == telemetry_run.REQUEST_ID
    [request] = [name for name in spans if "shipments" in name]
    assert ids[request] == telemetry_run.REQUEST_ID
    assert spans["small track"] | {"outcome": "ok", "status": 200} == spans["small track"]

    events = collector.events()
    assert len(events) == 4
    kinds = {
        one["type"] for event in events for one in event.get("exception", {}).get("values", ())
    }
    assert kinds == {"RuntimeError", "ValueError"}
    by_message = {event["logentry"]["message"]: event for event in events}
    [failed] = [event for event in events if event["logger"] == "django.request"]
    assert failed["logentry"]["message"].startswith("Internal Server Error: track/<")
    assert failed["tags"]["request_id"] == telemetry_run.REQUEST_ID
    assert by_message["event_failed"]["extra"]["event_id"] == 7
    assert by_message["cannot reach %s"]["logger"] == "tests.library"
    assert {event["tags"].get("request_id") for event in events} == {None, telemetry_run.REQUEST_ID}
    frames = [
        frame for event in events for one in event.get("exception", {}).get("values", ())
        for frame in one["stacktrace"]["frames"]
    ]  # fmt: skip
    assert "fail" in {frame["function"] for frame in frames}
    assert not any({"vars", "context_line", "pre_context"} & frame.keys() for frame in frames)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_servers_that_are_away_stop_nothing_and_are_named() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    done, seconds = run(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{nobody}", SENTRY_DSN=f"http://key@{nobody}/1"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    events = Counter(line["event"] for line in lines)
    assert (events["sentry_not_reached"], events["collector_not_reached"]) == (1, 1)
    assert not any(line["logger"].startswith(("urllib3", "opentelemetry")) for line in lines)
    assert seconds < 60


def test_a_span_keeps_what_is_listed_alone() -> None:
    span = ReadableSpan(
        name="GET /track/9876543210?x=1",
        attributes={"http.url": "http://h/?phone=9876543210", "http.route": "track/<id>",
                    "http.user_agent": "9 Secret Lane", "db.statement": "SELECT 9876543210"},
        status=Status(StatusCode.ERROR, "cannot deliver to 9 Secret Lane"),
    )  # fmt: skip
    kept = scrubbed(span)
    assert kept.attributes == {"http.route": "track/<id>"}
    assert (kept.name, kept.status.status_code, kept.status.description) == (
        "unnamed", StatusCode.ERROR, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "module"),
    [("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry"), ("SENTRY_DSN", "sentry_sdk")],
)
def test_a_setting_without_its_packages_names_the_extra(
    setting: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shipcrowd import telemetry

    name = {"opentelemetry": "tracing", "sentry_sdk": "errors"}[module]
    monkeypatch.setitem(sys.modules, f"shipcrowd.telemetry.{name}", None)
    values = {"otlp_endpoint": "", "sentry_dsn": ""}
    values["otlp_endpoint" if module == "opentelemetry" else "sentry_dsn"] = "http://key@h/1"
    with pytest.raises(telemetry.NotInstalled, match=f"{setting} is set, and .* is not installed"):
        telemetry.start(**values, release="1")
