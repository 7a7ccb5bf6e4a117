"""Log lines: exceptions have their traceback, without the data that PostgreSQL quotes."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import structlog
from django.conf import settings
from django.db import DataError, connection, transaction
from django.test import Client

from shipcrowd.celery import app
from tests.support.factories import CompanyFactory

SECRET = "9, Secret Lane"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Collect log lines, formatted by the formatter of the settings."""
    collected: list[dict[str, Any]] = []
    formatter = logging.config.DictConfigurator({}).configure_formatter(
        dict(settings.LOGGING["formatters"]["json"])
    )

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            collected.append(json.loads(formatter.format(record)))

    handler = Collect()
    logging.getLogger().addHandler(handler)
    yield collected
    logging.getLogger().removeHandler(handler)


def select_invalid_json() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT '{SECRET}'::jsonb")


def insert_a_slug_twice() -> None:
    with transaction.atomic():
        CompanyFactory(slug="secret-lane")
        CompanyFactory(slug="secret-lane")


def raise_with_a_database_error_as_cause() -> None:
    try:
        select_invalid_json()
    except DataError as error:
        raise RuntimeError(f"gave up: {error}") from error


def test_a_500_has_its_traceback(
    client: Client, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("couriers.tracking.page.Shipment.objects.select_related", boom)
    client.raise_request_exception = False
    assert client.get("/track/shp_x/").status_code == 500
    [line] = [line for line in lines if line["logger"] == "django.request"]
    assert line["exception"].startswith("Traceback (most recent call last)")
    assert line["exception"].endswith("RuntimeError: boom")
    assert "exc_info" not in line


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fails", "kind", "short"),
    [
        (select_invalid_json, "django.db.utils.DataError", "SQLSTATE 22P02"),
        (
            insert_a_slug_twice,
            "django.db.utils.IntegrityError",
            "SQLSTATE 23505, constraint shipcrowd_",
        ),
        (raise_with_a_database_error_as_cause, "RuntimeError", "gave up: SQLSTATE 22P02"),
    ],
)
@pytest.mark.parametrize("by", ["structlog", "logging"])
def test_data_in_a_database_message_is_not_logged(
    lines: list[dict[str, Any]], fails: Callable[[], None], kind: str, short: str, by: str
) -> None:
    try:
        fails()
    except Exception as error:
        if by == "structlog":
            structlog.get_logger("x").exception("failed", error=str(error))
        else:
            logging.getLogger("x").exception("failed: %r", error)
    [line] = lines
    assert f"\n{kind}: {short}" in line["exception"]
    logged = json.dumps(line).replace(r"slug=\"secret-lane\"", "")
    assert not any(quoted in logged for quoted in (SECRET, "secret-lane"))
    assert "SQLSTATE" in line["event" if by == "logging" else "error"]


def test_the_message_of_a_failed_connection_is_logged(lines: list[dict[str, Any]]) -> None:
    try:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=2")
    except psycopg.OperationalError:
        structlog.get_logger("x").exception("failed")
    assert "refused" in lines[0]["exception"]


@pytest.mark.django_db
def test_a_failed_task_logs_its_traceback_without_data(lines: list[dict[str, Any]]) -> None:
    task = app.task(select_invalid_json, name="tests.fails", ignore_result=True)
    task.apply()
    [line] = [line for line in lines if line["logger"] == "celery.app.trace"]
    assert "raised unexpected: DataError('SQLSTATE 22P02')" in line["event"]
    assert "in select_invalid_json" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_a_worker_uses_the_logging_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr("celery.app.log.Logging._setup", False)
    monkeypatch.setattr("celery.app.log.os.environ", {})
    monkeypatch.setattr(root, "handlers", [logging.NullHandler()])
    level, handlers = root.level, list(root.handlers)
    try:
        app.log.setup_logging_subsystem(loglevel="ERROR")
        assert (root.level, root.handlers) == (logging.ERROR, handlers)
    finally:
        root.setLevel(level)
