"""What the client of a courier sends: bodies, keys, and nothing that is secret elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from prometheus_client import REGISTRY

from couriers.contract.errors import CourierError, CredentialsRefused, NotSent, Rejected
from couriers.http.logins import StaticKey
from tests.support.small_courier import Reply, SmallClient, SmallCourier, account_at

pytestmark = pytest.mark.django_db
HARD = 'Dock & gate #4; 50% "off" \\ back+front é अ'


@pytest.fixture
def courier() -> Iterator[SmallCourier]:
    with SmallCourier() as running:
        yield running


def test_a_json_body_is_sent_as_it_is(courier: SmallCourier) -> None:
    courier.client().ask("create", json={"name": HARD, "none": None})
    (sent,) = courier.requests
    assert sent.headers["Content-Type"] == "application/json"
    assert json.loads(sent.body) == {"name": HARD, "none": None}


def test_a_form_is_percent_encoded_and_what_is_no_text_is_json_in_it(courier: SmallCourier) -> None:
    data = {"shipments": [{"add": HARD, "weight": 240}]}
    courier.client().ask("create", form={"format": "json", "data": data})
    (sent,) = courier.requests
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent.body.isascii()
    assert not set(b' +#;\\"') & set(sent.body)
    fields = parse_qs(sent.body.decode(), strict_parsing=True)
    assert fields["format"] == ["json"]
    assert json.loads(fields["data"][0]) == data


def test_a_body_that_json_cannot_hold_is_not_sent(courier: SmallCourier) -> None:
    for body in ({"weight": float("nan")}, {"weight": object()}):
        with pytest.raises(NotSent, match="could not be built"):
            courier.client().ask("create", json=body)
    assert courier.requests == []


def test_parameters_and_headers_are_sent(courier: SmallCourier) -> None:
    courier.client().ask(params={"waybill": "1,2"}, headers={"X-Client": "shop"})
    (sent,) = courier.requests
    assert sent.path == "/track?waybill=1%2C2"
    assert (sent.headers["X-Client"], sent.headers["Accept"]) == ("shop", "application/json")


def test_a_value_in_the_path_is_one_segment(courier: SmallCourier) -> None:
    courier.client().ask("parcel", number="A/1?x=é")
    assert courier.requests[0].path == "/parcels/A%2F1%3Fx%3D%C3%A9"


@pytest.mark.parametrize(
    "values", [{}, {"nummer": "1"}, {"number": "1", "more": "2"}, {"number": ".."}, {"number": ""}]
)
def test_a_path_with_other_values_than_its_own_is_not_called(
    courier: SmallCourier, values: dict[str, str]
) -> None:
    with pytest.raises(NotSent, match="the path could not be built"):
        courier.client().ask("parcel", **values)
    assert courier.requests == []


def test_an_id_of_the_path_may_come_back_where_the_body_has_it_too(courier: SmallCourier) -> None:
    courier.answer = lambda _: Reply({"error": "no parcel Zephyr-00099"}, 404)
    for path, is_shown in (({"number": "Zephyr-00099"}, True), ({"number": "1"}, False)):
        with pytest.raises(CourierError, match="no parcel") as caught:
            courier.client().ask("parcel", json={"remark": "Zephyr-00099"}, **path)
        assert ("Zephyr-00099" in str(caught.value)) is is_shown


def test_a_key_goes_with_every_call_that_needs_it(courier: SmallCourier) -> None:
    client = courier.client(password="the-key-of-the-shop")
    client.ask()
    client.ask("open")
    client.ensure_token()
    assert [sent.login for sent in courier.requests] == ["Token the-key-of-the-shop", ""]


def test_a_key_may_be_sent_without_a_scheme(courier: SmallCourier) -> None:
    class Raw(SmallClient):
        login = StaticKey("password", header="X-Key")

    Raw(account_at(courier.url, password="k-123456")).ask()
    assert courier.requests[0].headers["X-Key"] == "k-123456"


def test_a_refused_key_is_a_wrong_login_and_is_not_tried_again(courier: SmallCourier) -> None:
    courier.answer = lambda _: Reply(b'"no such key"', 401)
    with pytest.raises(CredentialsRefused, match="the key is refused"):
        courier.client().ask()
    assert len(courier.requests) == 1


def test_an_operation_has_a_time_out_of_its_own(courier: SmallCourier, settings: Any) -> None:
    times = {"READ_TIMEOUT": 0.1}
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"small": times}}

    def slow(_: Any) -> Reply:
        time.sleep(0.4)
        return Reply()

    courier.answer = slow
    with pytest.raises(CourierError, match="did not come in time"):
        courier.client().ask()
    assert courier.client().ask("slow") == {}


@pytest.mark.parametrize("how", ["json", "form"])
@pytest.mark.parametrize("field", ["rmk", "error", "remarks", "whole"])
def test_a_courier_that_repeats_the_request_does_not_get_it_shown(
    courier: SmallCourier, how: str, field: str
) -> None:
    private = {"name": "Quillon Farnsby", "phone": "9812345670", "add": "77, Wexcombe Terrace"}
    sent: dict[str, Any] = private | {"order": "E-77001"}
    words = (
        "E-77001 of Quillon at 77, Wexcombe Terrace (98123-45670), key Zephyr!Kestrel9, 9876543210"
    )
    answers = {"whole": words, "remarks": {"rmk": [words]}}
    courier.answer = lambda _: Reply(answers.get(field, {field: words}), 400)
    body = {"json": sent} if how == "json" else {"form": {"format": "json", "data": sent}}
    with pytest.raises(Rejected) as caught:
        courier.client(password="Zephyr!Kestrel9").ask("create", **body)
    shown = str(caught.value)
    assert "E-77001" in shown
    for one in ("Quillon", "Wexcombe", "45670", "Kestrel", "9876543210"):
        assert one not in shown, shown


def test_calls_are_counted_by_courier(courier: SmallCourier) -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"shipcrowd_courier_{name}", labels) or 0.0

    labels = {"courier": "small", "operation": "track"}
    before = value("api_calls_total", **labels, outcome="ok", status_code="200")
    timed = value("api_latency_seconds_count", **labels)
    courier.client().ask()
    assert value("api_calls_total", **labels, outcome="ok", status_code="200") == before + 1
    assert value("api_latency_seconds_count", **labels) == timed + 1
    hits = value("rate_limit_hits_total", **labels)
    courier.answer = lambda _: Reply(b"", 429)
    with pytest.raises(CourierError):
        courier.client().ask()
    assert value("rate_limit_hits_total", **labels) == hits + 1
