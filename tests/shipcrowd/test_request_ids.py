"""One id finds all log lines of a request: those of its answer, its calls and its tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.app.trace import build_tracer
from django.test import Client, override_settings
from structlog import contextvars

from couriers.conf import tunables
from couriers.contract import request_ids
from couriers.resilience import broker
from couriers.resilience.threads import run_in_threads, take_from
from couriers.tasks import sync_tracking
from shipcrowd.celery import app
from tests.support.log_lines import Lines
from tests.support.small_courier import SmallCourier

HEADER = request_ids.HEADER
MADE = 32  # characters


def header_and_body(client: Client, given: str | None = None) -> tuple[str, str]:
    answer = client.get("/api/v1/shipments/shp_x/", headers={HEADER: given} if given else {})
    return answer[HEADER], answer.json()["request_id"]


@pytest.mark.parametrize("given", ["r-1", "0b7f.A_1", "5e3c1a" + "f" * 58])
def test_a_clients_id_is_answered_in_header_and_problem(storefront: Client, given: str) -> None:
    assert header_and_body(storefront, given) == (given, given)


@pytest.mark.parametrize(
    "given",
    [None, "", "x" * 65, "a b", "a;b", "<b>", "r-1\tx", "é-1", "ravi@example.com", "9876543210",
     "+91-98765-43210", "91-98765-43210"],
)  # fmt: skip
def test_another_id_is_made_where_the_clients_is_none(storefront: Client, given: Any) -> None:
    header, body = header_and_body(storefront, given)
    assert header == body
    assert (len(header), header == given) == (MADE, False)


def test_two_requests_have_two_ids_and_nothing_stays_bound(storefront: Client) -> None:
    assert header_and_body(storefront) != header_and_body(storefront)
    assert request_ids.current() == ""


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/nowhere/", "/admin/login/", "/track/shp_x/"])
def test_every_answer_of_the_project_has_the_header(client: Client, path: str) -> None:
    assert client.get(path, headers={HEADER: "r-1"})[HEADER] == "r-1"


@pytest.mark.django_db
def test_the_api_needs_no_middleware_of_a_host_project(storefront: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "shipcrowd." not in one]
    assert header_and_body(storefront, "r-1") == ("r-1", "r-1")


def test_an_answer_is_logged_with_its_route_and_without_its_path_or_query(
    storefront: Client, lines: Lines
) -> None:
    storefront.get("/api/v1/shipments/shp_secret/?phone=9876543210", headers={HEADER: "r-1"})
    [line] = lines.of("request_answered")
    assert (line["request_id"], line["method"], line["status"]) == ("r-1", "GET", 400)
    assert "shipments/" in line["route"]
    assert "9876543210" not in str(lines)
    assert "shp_secret" not in str(line)


@pytest.mark.django_db
def test_probes_are_not_logged_unless_they_are_slow(client: Client, lines: Lines) -> None:
    client.get("/healthz")
    assert lines == []
    with override_settings(SHIPCROWD={"SLOW_REQUEST": 0.0}):
        client.get("/healthz")
    [line] = lines
    assert (line["event"], line["level"]) == ("slow_request", "warning")


@pytest.mark.django_db
def test_a_call_to_a_courier_is_logged_under_the_id_and_named_where_it_is_slow(
    lines: Lines, settings: Any
) -> None:
    with SmallCourier() as courier, request_ids.bound("r-1"):
        courier.client().ask()
        settings.SHIPCROWD = {**settings.SHIPCROWD, "SLOW_CALL": 0.0}
        courier.client().ask()
    quick, slow = lines.of("courier_call")[-1:], lines.of("slow_courier_call")
    assert {line["request_id"] for line in (*quick, *slow)} == {"r-1"}
    assert (quick[0]["operation"], quick[0]["outcome"], quick[0]["status"]) == ("track", "ok", 200)
    assert slow[-1]["level"] == "warning"
    assert tunables().SLOW_CALL == 0


def test_a_task_has_the_id_of_the_request_that_sent_it(lines: Lines) -> None:
    with request_ids.bound("r-1"):
        sent = message_of(lambda: broker.send(sync_tracking))
    assert sent["headers"]["shipcrowd_request_id"] == "r-1"
    assert "shipcrowd_request_id" not in message_of(lambda: broker.send(sync_tracking))["headers"]


def message_of(send_task: Any) -> Any:
    """The message that the call put into the broker's queue, which is emptied."""
    from redis import Redis

    redis = Redis.from_url(app.conf.broker_url)
    redis.delete("shipcrowd:tracking")
    send_task()
    return json.loads(redis.lpop("shipcrowd:tracking"))


@pytest.mark.parametrize(("given", "expected"), [("r-1", "r-1"), (None, "task-1"), (7, "task-1")])
def test_a_task_binds_the_id_of_its_message_or_its_own(given: Any, expected: str) -> None:
    bound: dict[str, Any] = {}

    def bind() -> None:
        bound.update(contextvars.get_contextvars())

    task = app.task(bind, name=f"tests.binds_{given}")
    message = {"shipcrowd_request_id": given} if given else {}
    with request_ids.bound("r-outer"):
        build_tracer(task.name, task, app=app)("task-1", (), {}, request=message)
        assert request_ids.current() == "r-outer"
    assert bound == {"request_id": expected, "task": task.name, "task_id": "task-1"}


def test_threads_that_work_for_a_task_log_under_its_id() -> None:
    found = []
    with request_ids.bound("r-1"):
        run_in_threads(
            take_from([1, 2]), lambda _: found.append(request_ids.current()), threads=2, name="x"
        )
    assert found == ["r-1", "r-1"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "named"),
    [("/nowhere/9876543210/", "Not Found: [hidden]"), ("/track/9876543210/", "track/<")],
)
def test_djangos_line_about_an_answer_has_the_id_and_no_path(
    client: Client, lines: Lines, path: str, named: str
) -> None:
    client.get(path, headers={HEADER: "r-1"})
    [line] = [line for line in lines if line["logger"] == "django.request"]
    assert line["request_id"] == "r-1"
    assert named in line["event"]
    assert "9876543210" not in str(lines)
