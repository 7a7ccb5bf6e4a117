"""A process that does what makes spans and errors, all of it with personal data and secrets.

`python -m tests.support.telemetry_run COURIER_URL`: a request of the API, one that fails, a task, a
call to a courier, and errors of each kind.
"""

from __future__ import annotations

import os
import sys

PHONE = "9876543210"
ADDRESS = "9 Secret Lane"
API_KEY = "secretpart.secretkey"
REQUEST_ID = "r-1"


def main(courier_url: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    import django

    django.setup()
    from django.test import Client

    headers = {
        "Authorization": f"Bearer {API_KEY}", "X-Request-ID": REQUEST_ID, "User-Agent": ADDRESS,
    }  # fmt: skip
    client = Client(headers=headers, SERVER_NAME="127.0.0.1", raise_request_exception=False)
    client.get(f"/api/v1/shipments/shp_1/?phone={PHONE}")
    client.post(f"/nowhere/{PHONE}/", {"address": ADDRESS}, "application/json")
    _fail_in_a_view(client)
    _run_task()
    _call_courier(courier_url)
    _log_errors()
    sys.stdout.write("done")


def _fail_in_a_view(client: object) -> None:
    from unittest import mock

    def fail(*_: object) -> None:
        address = ADDRESS  # a local variable
        raise RuntimeError(f"cannot deliver to {address}")

    with mock.patch("couriers.tracking.page.Shipment.objects.select_related", fail):
        client.get(f"/track/shp_1/?phone={PHONE}")  # type: ignore[attr-defined]


def _run_task() -> None:
    from celery.app.trace import build_tracer

    from shipcrowd.celery import app

    def fail(address: str) -> None:
        raise ValueError(f"no such place: {address}")

    task = app.task(fail, name="tests.telemetry", ignore_result=True)
    request = {"shipcrowd_request_id": REQUEST_ID}
    build_tracer(task.name, task, app=app)("task-1", (ADDRESS,), {}, request=request)


def _call_courier(url: str) -> None:
    from couriers.contract.request_ids import bound
    from couriers.models import CourierAccount
    from tests.support.small_courier import SmallClient

    account = CourierAccount(pk="acc_1", courier_id="small", base_url=url)
    account.login = {"password": API_KEY}
    with bound(REQUEST_ID):
        SmallClient(account).call("track", params={"phone": PHONE})


def _log_errors() -> None:
    import logging

    from couriers.contract.logs import get_logger

    get_logger("tests").error("event_failed", event_id=7, consignee=ADDRESS, error=PHONE)
    logging.getLogger("tests.library").error("cannot reach %s", PHONE)


if __name__ == "__main__":
    main(sys.argv[1])
