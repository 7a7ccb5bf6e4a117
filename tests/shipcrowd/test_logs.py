"""Log lines: exceptions have their traceback, without the data that PostgreSQL quotes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import structlog
from django.db import DataError, connection, transaction
from django.test import Client

from shipcrowd.celery import app
from tests.support.factories import CompanyFactory
from tests.support.log_lines import Lines

SECRET = "9, Secret Lane"
PHONE = "98765 43210"
MAIL = "asha@example.com"


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
    client: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
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
    lines: Lines, fails: Callable[[], None], kind: str, short: str, by: str
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


def test_the_message_of_a_failed_connection_is_logged(lines: Lines) -> None:
    try:
        psycopg.connect("host=127.0.0.1 port=1 connect_timeout=2")
    except psycopg.OperationalError:
        structlog.get_logger("x").exception("failed")
    assert "refused" in lines[0]["exception"]


@pytest.mark.django_db
def test_a_failed_task_logs_its_traceback_without_data(lines: Lines) -> None:
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


def test_a_message_of_an_exception_has_no_phone_and_no_address_of_mail(lines: Lines) -> None:
    log = structlog.get_logger("x")
    try:
        {}[PHONE]
    except KeyError as error:
        log.exception("failed", error=str(error))
        try:
            raise ValueError(f"no such person: {MAIL}") from error
        except ValueError:
            logging.getLogger("x").exception("of a library")
    assert len(lines) == 2
    assert PHONE not in str(lines)
    assert MAIL not in str(lines)
    assert "KeyError" in lines[1]["exception"]


def test_a_library_that_writes_addresses_of_calls_is_not_heard() -> None:
    root, library = logging.getLogger(), logging.getLogger("urllib3.connectionpool")
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        assert not library.isEnabledFor(logging.WARNING)
        assert library.isEnabledFor(logging.ERROR)
    finally:
        root.setLevel(before)
