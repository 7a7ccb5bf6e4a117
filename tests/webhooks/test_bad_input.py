"""Every body, header and URL has a defined answer and a defined row or none; none raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http.request import UnreadablePostError
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from couriers.models import Scan, Shipment
from tests.support.callbacks import send_ekart
from tests.support.factories import CourierAccountFactory, ShipmentFactory
from webhooks.models import WebhookEvent
from webhooks.processing import process_batch
from webhooks.views import receive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]

NOW = 1_793_400_000_000
TRACK = {
    "ctime": NOW, "status": "In Transit", "location": "PUNE", "desc": "x", "attempts": "0",
    "wbn": "1", "orderNumber": "1", "edd": NOW,
}  # fmt: skip
CREATED = {"id": "T-9", "wbn": "1", "vendor": "EKART", "orderNumber": "N-1", "channelId": "c"}


@pytest.fixture
def shipment(db: None) -> Shipment:
    return ShipmentFactory(account=CourierAccountFactory())


def outcome(shipment: Shipment, body: bytes) -> tuple[str, str]:
    """Send a body and process it; return the event's state and reason."""
    assert send_ekart(shipment.account, body) == 200
    while process_batch().claimed:
        pass
    event = WebhookEvent.objects.get()
    return event.state, event.reason


UNREADABLE = [
    (b"", "not JSON"),
    (b" ", "not JSON"),
    (b"\xef\xbb\xbf{}", "not JSON"),
    (b"null", "not a JSON object"),
    (b'"text"', "not a JSON object"),
    (b"[{}]", "not a JSON object"),
    (b"17", "not a JSON object"),
    (b"NaN", "NaN"),
    (b'{"a": Infinity}', "Infinity"),
    (b'{"a": -Infinity}', "Infinity"),
    (b'{"a": {"b": 1, "b": 2}}', "twice"),
    (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
    (b'{"a": "\xc3"}', "UTF-8"),
    ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    (b'{"a":' + b"[" * 101 + b"]" * 101 + b"}", "deep"),
    (b'{"a":' * 500 + b"1" + b"}" * 500, "deep"),
    (b'{"a":' * 10000, "deep"),
    (b'{"ctime": ' + b"9" * 5000 + b"}", "not JSON"),
    (b"{'a': 1}", "not JSON"),
    (b'{"a": 1} {}', "not JSON"),
    (b'{"a": "\x00"}', "not JSON"),
]


@pytest.mark.parametrize(("body", "reason"), UNREADABLE)
def test_an_unreadable_body_is_dead_at_once(shipment: Shipment, body: bytes, reason: str) -> None:
    state, stored_reason = outcome(shipment, body)
    assert state == "dead"
    assert reason in stored_reason


def test_a_hundred_levels_of_nesting_are_read(shipment: Shipment) -> None:
    body = json.dumps({"id": shipment.tracking_id, **TRACK})[:-1].encode()
    body += b', "more": ' + b"[" * 99 + b"]" * 99 + b"}"
    assert outcome(shipment, body)[0] == "processed"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        # Tolerated: numbers as strings and strings as numbers, missing optional fields.
        ({"ctime": str(NOW)}, "processed"),
        ({"ctime": float(NOW)}, "processed"),
        ({"attempts": 3}, "processed"),
        ({"attempts": {"a": []}}, "processed"),
        ({"location": None, "desc": None, "wbn": 17}, "processed"),
        ({"location": "\x00\ud800é" * 300, "desc": "\x00"}, "processed"),
        ({"status": "Tele\x00ported"}, "processed"),
        ({"ctime": 4_000_000_000_000}, "processed"),
        # Not a time in milliseconds: seconds, before 2000, after 2100, fractions, huge.
        ({"ctime": NOW // 1000}, "dead"),
        ({"ctime": 900_000_000_000}, "dead"),
        ({"ctime": 4_102_444_800_000}, "dead"),
        ({"ctime": -1}, "dead"),
        ({"ctime": 0.5}, "dead"),
        ({"ctime": 10**300}, "dead"),
        ({"ctime": float("1e300")}, "dead"),
        ({"ctime": None}, "dead"),
        ({"ctime": []}, "dead"),
        ({"ctime": True}, "dead"),
        # Unreadable fields other than the id, the status and the time are ignored.
        ({"edd": NOW // 1000}, "processed"),
        ({"edd": 10**30}, "processed"),
        ({"edd": "soon"}, "processed"),
        ({"orderNumber": {}}, "processed"),
        ({"desc": [1]}, "processed"),
        ({"status": None}, "dead"),
        ({"status": {}}, "dead"),
        ({"id": ""}, "dead"),
        ({"id": None}, "dead"),
        ({"id": "x" * 101}, "dead"),
        ({"id": "T\x00"}, "dead"),
        ({"id": "T\ud800"}, "dead"),
        ({"id": ["T"]}, "dead"),
        ({"ndrStatus": 7}, "processed"),
        # A tracking id of no shipment.
        ({"id": 7.5}, "failed"),
    ],
)
def test_every_wrong_type_has_its_outcome(
    shipment: Shipment, change: dict[str, Any], state: str
) -> None:
    body = json.dumps({"id": shipment.tracking_id, **TRACK} | change).encode()
    found, reason = outcome(shipment, body)
    assert found == state
    assert bool(reason) == (state != "processed")
    assert Scan.objects.exists() == (state == "processed")


@pytest.mark.parametrize(
    "change", [{"orderNumber": ""}, {"orderNumber": "N\x00"}, {"id": "T\ud800"}, {"id": []}]
)
def test_a_creation_with_wrong_types_is_dead(shipment: Shipment, change: dict[str, Any]) -> None:
    assert outcome(shipment, json.dumps(CREATED | change).encode())[0] == "dead"


def test_a_body_that_is_too_long_is_refused_before_it_is_read(shipment: Shipment) -> None:
    body = b'{"a": "' + b"x" * (65536 - 9) + b'"}'
    assert (len(body), send_ekart(shipment.account, body)) == (65536, 200)
    assert send_ekart(shipment.account, body + b" ") == 413
    request = RequestFactory().post("/", b"{}", "application/json", CONTENT_LENGTH="999999999")
    request.read = None  # type: ignore[method-assign,assignment]  # reading would raise
    assert receive(request, "ekart", shipment.account_id).status_code == 413
    assert WebhookEvent.objects.count() == 1


def test_bodies_that_differ_in_a_numbers_value_are_different_events(shipment: Shipment) -> None:
    different = ["1e999", "1e998", "-1e999", "1e99999999999999999999", "12345678901234567.0",
                 "12345678901234568.0", "1e-400", "0.0", '"1e999"', "1", "1.5"]  # fmt: skip
    for number in (*different, "1.50", "15e-1", "0.00"):
        assert send_ekart(shipment.account, f'{{"id": "T", "n": {number}}}'.encode()) == 200
    assert WebhookEvent.objects.count() == len(different)


@pytest.mark.parametrize("length", ["", "abc", "-5", "²", "9" * 400, "1.0"])
def test_an_invalid_content_length_does_not_raise(shipment: Shipment, length: str) -> None:
    request = RequestFactory().post("/", b"{}", "application/json")
    request.META["CONTENT_LENGTH"] = length
    assert receive(request, "ekart", shipment.account_id).status_code in (401, 413)


def test_a_body_that_is_cut_off_is_400(shipment: Shipment) -> None:
    def cut_off(*_: Any) -> bytes:
        raise UnreadablePostError("gone")

    request = RequestFactory().post("/", b"{}", "application/json")
    request.read = cut_off  # type: ignore[method-assign]
    assert receive(request, "ekart", shipment.account_id).status_code == 400


@pytest.mark.parametrize("account_id", ["%00", "%F0%9F%90%A6", "a" * 500, "' OR 1=1"])
def test_an_impossible_account_id_is_401(db: None, account_id: str) -> None:
    answer = Client().post(f"/webhooks/ekart/{account_id}/", b"{}", "application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "query",
    ["?topic=nonsense", "?topic=", "?topic=shipment_recreated&x=1", "?" + "a=1&" * 3000,
     "?topic=%00", "?topic=track_updated", "?topic=shipment_recreated"],
)  # fmt: skip
def test_a_query_is_outside_the_signature_and_decides_nothing(
    shipment: Shipment, query: str
) -> None:
    body = json.dumps(CREATED).encode()
    assert send_ekart(shipment.account, body, query) == 200
    assert WebhookEvent.objects.get().topic == "shipment_created"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
field_names = st.sampled_from([*TRACK, *CREATED])


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=st.lists(
        st.tuples(st.dictionaries(field_names, json_values, max_size=5), st.booleans()),
        min_size=5,
        max_size=10,
    )
)
def test_no_event_body_raises(
    shipment: Shipment, events: list[tuple[dict[str, Any], bool]]
) -> None:
    for changes, created in events:
        base = CREATED if created else {"id": shipment.tracking_id, **TRACK}
        assert send_ekart(shipment.account, json.dumps(base | changes).encode()) == 200
    # An event that raises is counted as failed, one without a shipment as waiting.
    while (result := process_batch()).claimed:
        assert result.failed == 0


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bodies=st.lists(
        st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()),
        min_size=5,
        max_size=10,
    )
)
def test_no_bytes_raise(shipment: Shipment, bodies: list[bytes]) -> None:
    for body in bodies:
        assert send_ekart(shipment.account, body) == 200
    while process_batch().claimed:
        pass


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(signature=st.text(st.characters(max_codepoint=255)), courier=st.text(min_size=1))
def test_no_signature_raises(shipment: Shipment, signature: str, courier: str) -> None:
    request = RequestFactory().post("/", b"{}", "application/json")
    request.META["HTTP_X_EKART_SIGNATURE"] = signature
    assert receive(request, "ekart", shipment.account_id).status_code == 401
    assert receive(request, courier, shipment.account_id).status_code == 401
    assert not WebhookEvent.objects.exists()
