"""Which paths lead to the inbox, with its middleware and without."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import set_urlconf

from couriers.models.addresses import callback_url, path_of, tracking_url
from tests.support.callbacks import SECRET, callback_path

INBOX = "webhooks.middleware.InboxMiddleware"
MIDDLEWARES = (settings.MIDDLEWARE, [name for name in settings.MIDDLEWARE if name != INBOX])


@pytest.mark.django_db
@pytest.mark.parametrize("middleware", MIDDLEWARES, ids=["with", "without"])
def test_a_callback_without_its_last_slash_is_stored(account: Any, middleware: list[str]) -> None:
    with override_settings(MIDDLEWARE=middleware):
        answer = Client().post(
            callback_path(account).rstrip("/"), json.dumps({"id": "T"}), "application/json",
            headers={"x-toy-secret": SECRET},
        )  # fmt: skip
    assert answer.status_code == 200


@pytest.mark.django_db
def test_the_middleware_leaves_paths_of_other_couriers_to_the_urls(client: Client) -> None:
    assert client.post("/webhooks/nobody/acc_x/").status_code == 401
    assert client.get("/webhooks/nobody/acc_x/y/").status_code == 404


def test_addresses_that_are_told_do_not_depend_on_a_requests_own_urls() -> None:
    before = tracking_url("shp_x"), callback_url("toy", "acc_x"), path_of("couriers_api:rates")
    set_urlconf("couriers.tracking.urls")
    try:
        told = tracking_url("shp_x"), callback_url("toy", "acc_x"), path_of("couriers_api:rates")
    finally:
        set_urlconf(None)
    assert told == before
    assert all(before)
