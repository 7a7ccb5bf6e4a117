"""A courier that repeats the requests: nothing of it reaches people, tables, logs or metrics.

A real server on loopback repeats whole requests, with token, login, names, phones and addresses, in
every writing, at every status, in every field that is read, and in its headers.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client
from django_redis import get_redis_connection
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest

from couriers.contract import india
from couriers.contract.errors import CourierError
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.models import (
    CourierAccount,
    CourierCall,
    CourierToken,
    Shipment,
    WarehouseRegistration,
)
from couriers_ekart.client import EkartClient
from tests.support.api import post_json
from tests.support.echo import (
    AUTH,
    WRITINGS,
    Echo,
    EchoCourier,
    database_texts,
    found_in,
    valkey_text,
)
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    ShipmentFactory,
    WarehouseFactory,
    make_api_key,
)
from tests.support.orders import ORDER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_backoff")]

EXAMPLES = int(os.environ.get("ECHO_EXAMPLES", "3"))  # of each operation
TOMORROW = (india.today() + dt.timedelta(days=1)).isoformat()
CONSIGNEE = {
    "name": "Quillon Farnsby", "phone": "+91 98123 45670", "city": "Bengaluru",
    "state": "Karnataka", "pincode": "560008",
    "address": "77, Wexcombe Terrace, behind Ploverfield",
}  # fmt: skip
LOGIN = {"client_id": "CL-Okapi-77", "username": "narwhal.ops", "password": "Zephyr!Kestrel9"}
WORDS = (
    "quillon", "farnsby", "wexcombe", "ploverfield", "brindlewick", "thaddeus", "larkspur",
    "violet bell", "narwhal", "kestrel", "quetzalcoatl", "marmot", "okapi", "gryphonware",
)  # fmt: skip
NUMBERS = ("9812345670", "9898912311", "9123454321")
# Where a value is meant to be readable: its own column.
OWN_COLUMNS = {
    f"shipcrowd_couriers_{column}"
    for column in (
        "company.address", "warehouse.contact_name", "warehouse.phone", "warehouse.address",
        "shipment.consignee_name", "shipment.items",
        "warehouseregistration.reference",
    )
}  # fmt: skip
ALIAS = re.compile(r"thaddeus-gate-\w{8}-\w{6}")  # our id of the warehouse, which may come back
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def courier() -> Iterator[EchoCourier]:
    with EchoCourier() as running:
        yield running


@pytest.fixture
def account(courier: EchoCourier, settings: Any) -> CourierAccount:
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "API_LIMITER_WAIT": 0.05, "BREAKER_FAILURES": 10**6,
    }  # fmt: skip
    company = CompanyFactory(address="3, Larkspur Chambers")
    WarehouseFactory(
        company=company, contact_name="Thaddeus Gate", phone="9898912311",
        address="Dock 4, Brindlewick Yard",
    )  # fmt: skip
    return CourierAccountFactory(
        company=company, base_url=courier.url, webhook_secret="Marmot-secret-of-hooks", **LOGIN,
        limits={name: {"count": 10**6, "window": 1} for name in EkartClient.operations},
    )  # fmt: skip


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the project's own handler would write."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.config.dictConfig(django_settings.LOGGING)  # type: ignore[attr-defined]
    handler.setFormatter(logging.getLogger().handlers[-1].formatter)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def order() -> dict[str, Any]:
    item = ORDER["items"][0] | {"name": "Gryphonware mug, large"}
    return ORDER | {
        "courier": "ekart", "order_number": f"E-{next(numbers)}", "consignee": CONSIGNEE,
        "items": [item], "options": {"alternate_phone": "91234 54321"},
    }  # fmt: skip


def act(name: str, status: Status, body: Any = None) -> Callable[[Client, CourierAccount], Any]:
    """Return a function that posts an action on a new shipment in this status."""

    def make(client: Client, account: CourierAccount) -> Any:
        shipment = ShipmentFactory(
            account=account, warehouse=account.company.warehouses.get(), status=status,
            tracking_id=f"T-{next(numbers)}", consignee_name="Quillon Farnsby",
            options={"delayed_dispatch": True},
        )  # fmt: skip
        url = f"/api/v1/shipments/{shipment.pk}/{name}/"
        return client.get(url) if body is None else post_json(client, url, body)

    return make


def register_hooks(client: Client, account: CourierAccount) -> Any:
    out = io.StringIO()
    try:
        call_command("register_webhooks", "ekart", "--company", account.company.slug, stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def rate() -> dict[str, Any]:
    """Return a request whose quote is not cached."""
    return RATE | {"invoice_amount": f"{500 + next(numbers)}.00"}


RATE = {
    "courier": "ekart", "drop_pincode": "560008", "payment_mode": "prepaid",
    "invoice_amount": "500.00", "parcel": ORDER["parcel"], "pickup_pincode": "560001",
}  # fmt: skip
NEW = {
    "date": TOMORROW, "phone": "91234 54321", "address": CONSIGNEE["address"],
    "instructions": "ring the violet bell",
}  # fmt: skip
OPERATIONS: dict[str, tuple[str, Callable[[Client, CourierAccount], Any]]] = {
    "create": ("PUT /api/v1/package", lambda c, a: post_json(c, "/api/v1/shipments/", order())),
    "auth": (AUTH, lambda c, a: post_json(c, "/api/v1/shipments/", order())),
    "register": ("POST /api/v2/addr", lambda c, a: post_json(c, "/api/v1/shipments/", order())),
    "everything": ("", lambda c, a: post_json(c, "/api/v1/shipments/", order())),
    "cancel": ("DELETE /", act("cancel", Status.BOOKED, {})),
    "track": ("GET /api/v1/track", act("track", Status.IN_TRANSIT, {})),
    "reattempt": ("POST /api/v2/package/ndr", act("reattempt", Status.UNDELIVERED, {
        "date": TOMORROW, "instructions": NEW["instructions"]})),
    "address": ("POST /api/v2/package/ndr", act("address", Status.UNDELIVERED, NEW)),
    "rto": ("POST /api/v2/package/ndr", act("rto", Status.UNDELIVERED, {
        "remark": "the violet bell"})),
    "dispatch date": ("POST /data/ship", act("dispatch-date", Status.BOOKED, {"date": TOMORROW})),
    "label": ("POST /api/v1/package/label", act("label", Status.BOOKED)),
    "label data": ("POST /api/v1/package/label", act("label/data", Status.BOOKED)),
    "rates": ("POST /data/", lambda c, a: post_json(c, "/api/v1/rates/", rate())),
    "serviceability": ("GET /api/v2/serviceability", lambda c, a: c.get(
        "/api/v1/serviceability/?courier=ekart&pincode=560008")),
    "list of webhooks": ("GET /api/v2/webhook", register_hooks),
    "new webhook": ("POST /api/v2/webhook", register_hooks),
}  # fmt: skip

echoes = st.builds(
    Echo,
    status=st.sampled_from((200, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503)),
    writing=st.sampled_from(sorted(WRITINGS)),
    shape=st.sampled_from(("bare", "words", "good words", "request")),
    cut=st.integers(0, 400),
    asked=st.builds(list),
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_a_courier_repeats_is_shown_stored_or_logged(
    operation: str, courier: EchoCourier, account: CourierAccount, log: io.StringIO
) -> None:
    call, request = OPERATIONS[operation]
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(account.company)}"})

    @given(echoes)
    @example(Echo(status=200, shape="good words"))
    @example(Echo(status=422, writing="HTML"))
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 20,
        suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    def repeats(echo: Echo) -> None:
        for stored in (CourierToken, WarehouseRegistration):
            stored.objects.all().delete()  # or there would be no call
        CourierFactory.clear_adapters()
        get_redis_connection("default").flushdb()  # a 429 holds later calls back
        echo.call = call
        courier.echo = echo
        answer = request(client, account)
        assert echo.asked, "the courier was not asked"
        check_nowhere(shown(answer), log)

    repeats()


def check_nowhere(answer: str, log: io.StringIO) -> None:
    """Fail with the place where something of a request was found."""
    places = {
        "answer": answer,
        "log": log.getvalue(),
        "metrics": generate_latest().decode(),
        "Valkey": valkey_text(),
    }
    found = {place: found_in(text, WORDS, NUMBERS, ALIAS) for place, text in places.items()}
    for column, value in database_texts(OWN_COLUMNS):
        found[column] = found.get(column, set()) | found_in(value, WORDS, NUMBERS, ALIAS)
    assert {place: what for place, what in found.items() if what} == {}
    log.truncate(log.seek(0))


def shown(answer: Any) -> str:
    """Return what the answer shows, head and body, without what is the merchant's own."""
    if isinstance(answer, str):
        return answer
    body = b"".join(answer) if answer.streaming else answer.content
    if answer["Content-Type"].endswith("json"):
        content = json.loads(body)
        if isinstance(content, dict):
            for own in ("consignee", "items", "reason"):
                content.pop(own, None)
        body = json.dumps(content).encode()
    return f"{answer.headers} {body.decode('utf-8', 'replace')}"


def test_the_couriers_own_reason_and_the_ids_are_still_shown(
    courier: EchoCourier, account: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "Order E-77001 refused: pincode 560008 of Quillon Farnsby (98123.45670) is not served, "
        "see waybill 500999A3408005"
    )
    monkeypatch.setattr(Echo, "body", lambda *_: json.dumps({"description": words}).encode())
    courier.echo = Echo("PUT /api/v1/package")
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(account.company)}"})
    answer = post_json(client, "/api/v1/shipments/", order() | {"order_number": "E-77001"})
    assert answer.status_code == 422
    expected = (
        "Order E-77001 refused: pincode 560008 of •••) is not served, see waybill 500999A3408005"
    )
    assert answer.json()["courier_message"] == expected
    assert expected in CourierCall.objects.latest("pk").message
    assert expected in Shipment.objects.latest("pk").failure


def test_the_auth_calls_words_are_not_passed_on_at_all(
    courier: EchoCourier, account: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"code": "BAD-9", "description": "no such user"}
    monkeypatch.setattr(Echo, "body", lambda *_: json.dumps(words).encode())
    courier.echo = Echo(AUTH, status=401)
    with pytest.raises(CourierError) as caught:
        CourierFactory.get_adapter(account).track_waybill("T-1")
    assert (caught.value.code, caught.value.courier_message) == ("", "")
    assert str(caught.value) == "ekart get_token: the login is refused (HTTP 401)"


def test_an_id_that_is_the_consignees_phone_is_no_id(
    courier: EchoCourier, account: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = {"status": True, "tracking_id": "9812345670"}
    monkeypatch.setattr(Echo, "body", lambda *_: json.dumps(booked).encode())
    courier.echo = Echo("PUT /api/v1/package", status=200)
    client = Client(headers={"Authorization": f"Api-Key {make_api_key(account.company)}"})
    answer = post_json(client, "/api/v1/shipments/", order())
    assert (answer.status_code, answer.json()["status"]) == (202, "in_doubt")
