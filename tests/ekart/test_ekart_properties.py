"""Arbitrary input becomes a valid request or a refusal that names a field, and nothing else."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from couriers.api.serializers import ShipmentDraftSerializer
from couriers.booking.drafts import clean_draft
from couriers.contract.actions import ReattemptRequest
from couriers.contract.errors import CourierError, InvalidRequest
from couriers.contract.options import parse_options
from couriers.contract.types import (
    Address,
    Direction,
    Pickup,
    Seller,
    ShipmentDraft,
    ShipmentRequest,
)
from couriers_ekart.mapper import payloads, refusals
from couriers_ekart.mapper.options import EkartOptions
from tests.support.ekart import EXCHANGES, READERS, classify_answer
from tests.support.factories import GSTIN
from tests.support.orders import ORDER
from tests.support.vendor_document import is_there, request_validator

TODAY = dt.date(2026, 11, 24)
SELLER = Seller("Acme", GSTIN, "1, Example Road", "Karnataka")
PICKUP = Pickup(
    "whs_1",
    "main-gate",
    Address("Gate", "9845012345", "1, Example Road", "Bengaluru", "Karnataka", "560001"),
)
NASTY_TEXTS = [
    "", " ", "\x00", "a\x00b", "a" * 10_000, "९८७६५४३२१०", "٩٨٧٦٥٤٣٢١٠", "98765ABCDE", "👩‍👩‍👧",
    "\u202eevil", "\ud800", "-1", "1e400", "NaN", "Infinity", "0", "49999.01", "0.005", "560008\n",
    "999999999999999999", "056000", "+91 (98765) 43210", "2026-02-30", "true",
]  # fmt: skip
NASTY = st.sampled_from(NASTY_TEXTS)
LEAVES = st.one_of(
    NASTY,
    st.text(max_size=20),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.booleans(),
    st.none(),
    st.decimals(allow_nan=False, places=2, min_value=-(10**6), max_value=10**6).map(str),
)


def _names(part: Any) -> set[str]:
    """Return every key of the recorded answers, so that generated answers resemble them."""
    if isinstance(part, list):
        return {name for one in part for name in _names(one)}
    if isinstance(part, dict):
        return set(part) | {name for one in part.values() for name in _names(one)}
    return set()


NAMES = st.sampled_from(
    sorted(_names([json.loads(path.read_text()) for path in EXCHANGES.glob("*.json")]))
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=8)),
    max_leaves=25,
)
FIELDS: list[tuple[str | int, ...]] = [
    ("order_number",), ("order_date",), ("payment_mode",), ("cod_amount",), ("service",),
    ("invoice_number",), ("invoice_date",), ("options",), ("items",), ("parcel",),
    *(("consignee", name) for name in ORDER["consignee"]),
    *(("items", 0, name) for name in ORDER["items"][0]),
    *(("parcel", name) for name in ORDER["parcel"]),
    *(("options", name) for name in (
        "alternate_phone", "preferred_dispatch_date", "delayed_dispatch", "ewaybill_number",
        "what3words", "template_name", "packages", "quality_check", "consignee_gstin", "nope")),
]  # fmt: skip


PINCODES = {"Karnataka": "560008", "Kerala": "682001"}
ANSWERS = {
    path.stem: [
        exchange["answer"] for exchange in json.loads(path.read_text()) if "neutral" in exchange
    ]
    for path in EXCHANGES.glob("*.json")
}


@pytest.mark.parametrize("operation", READERS)
def test_an_answer_with_one_damaged_value_is_read_or_raises_a_courier_error(operation: str) -> None:
    for answer in ANSWERS[operation]:
        for number in range(len(list(_values(answer)))):
            for damage in (*NASTY_TEXTS, None, True, -1, 10**30, 0.5, float("nan"), [], {}, [[]]):
                body = copy.deepcopy(answer)
                container, key = list(_values(body))[number]
                container[key] = damage
                _read_or_refused(operation, body)


@pytest.mark.slow
@pytest.mark.parametrize("operation", READERS)
@settings(max_examples=150, deadline=None)
@given(body=JSON)
def test_an_arbitrary_answer_is_read_or_raises_a_courier_error(operation: str, body: Any) -> None:
    _read_or_refused(operation, body)


def _read_or_refused(operation: str, body: Any) -> None:
    try:
        read = READERS[operation](body)
    except CourierError:
        return
    assert _storable(read), body


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    body=st.one_of(st.binary(max_size=200), JSON.map(lambda b: json.dumps(b).encode())),
    headers=st.dictionaries(st.sampled_from(["Retry-After", "Content-Type"]), st.text(max_size=20)),
)
def test_an_arbitrary_http_answer_is_decoded_or_a_courier_error(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    decoded, failure = classify_answer(status, body, headers=headers)
    assert (failure is None) == (decoded is not None)
    assert failure is None or isinstance(failure, CourierError)
    # Only a 2xx is a success.
    assert failure is not None or 200 <= status < 300


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.dictionaries(st.sampled_from(FIELDS), LEAVES | JSON, min_size=1, max_size=3))
@example(changes={("consignee", "phone"): "९८७६५४३२१०"})
@example(changes={("consignee", "name"): "👩‍👩‍👧"})
@example(changes={("consignee", "name"): "\u202eevil"})
@example(changes={("consignee", "name"): "a" * 10_000})
@example(changes={("items", 0, "value"): "-1"})
@example(changes={("items", 0, "value"): "999999999.99"})
@example(changes={("items", 0, "gst_rate"): "100"})
@example(changes={("cod_amount",): "1e400"})
@example(changes={("options", "packages"): [{"weight_g": 1, "length_cm": 1, "width_cm": 1}]})
def test_an_arbitrary_order_becomes_a_valid_request_or_a_refusal_naming_fields(
    changes: dict[tuple[str | int, ...], Any],
) -> None:
    order = copy.deepcopy(ORDER) | {"courier": "ekart", "options": {}}
    for path, value in changes.items():
        _put(order, path, value)
    asked = ShipmentDraftSerializer(data=order)
    try:
        asked.is_valid(raise_exception=True)
        draft = clean_draft(asked.draft())
    except ValidationError as error:
        named = set(error.detail)
    except InvalidRequest as error:
        named = {problem.field for problem in error.problems if problem.message}
    else:
        _assert_valid_or_refused(_request(draft))
        return
    assert named
    assert all(named)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.decimals("1.28", 10**6, places=2), st.sampled_from(["0", "3", "5", "12", "18", "28"])
        ),
        min_size=1,
        max_size=5,
    ),
    state=st.sampled_from(sorted(PINCODES)),
)
def test_amounts_add_up_to_the_paisa_within_a_state_and_between_states(
    lines: list[tuple[Decimal, str]], state: str
) -> None:
    order = copy.deepcopy(ORDER) | {"payment_mode": "prepaid", "cod_amount": "0"}
    order["consignee"] |= {"state": state, "pincode": PINCODES[state]}
    order["items"] = [
        ORDER["items"][0] | {"value": str(value), "gst_rate": rate}
        for value, rate in [*lines, (0, "5")]  # the last line is a gift
    ]
    package = {"weight_g": 500, "length_cm": 10, "width_cm": 10, "height_cm": 10}
    order["options"] = {"ewaybill_number": "123456789012", "packages": [package]}
    asked = ShipmentDraftSerializer(data=order)
    asked.is_valid(raise_exception=True)
    request = _request(clean_draft(asked.draft()))
    assert refusals.booking_problems(request, TODAY) == []
    _assert_valid_or_refused(request)
    sent = payloads.shipment_payload(request)
    assert bool(sent["integrated_gst_amount"]) <= (state == "Kerala")
    assert bool(sent["seller_gst_amount"]) <= (state == "Karnataka")


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    options=st.dictionaries(
        st.sampled_from([path[1] for path in FIELDS if path[0] == "options" and len(path) > 1]),
        LEAVES | JSON,
        max_size=6,
    )
)
def test_arbitrary_options_are_read_or_refused_by_name(options: dict[str, Any]) -> None:
    _, problems = parse_options(EkartOptions, options)
    assert all(p.field.startswith("options.") and p.message for p in problems)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(day=st.dates(), address=st.text(max_size=500) | NASTY)
def test_a_reattempt_is_sent_with_its_day_in_india(day: dt.date, address: str) -> None:
    request = ReattemptRequest("T1", day, phone="9845011111", address=address)
    payload = payloads.reattempt_payload(request)
    assert dt.datetime.fromtimestamp(payload["date"] / 1000, dt.UTC).date() == day
    assert json.dumps(payload).encode()


def _put(order: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    place: Any = order
    for part in path[:-1]:
        try:
            place = place[part]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change replaced the container
    if isinstance(place, dict):
        place[path[-1]] = value


def _values(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every value of an answer, as its container and its key."""
    if not isinstance(part, (dict, list)):
        return
    for key, inner in list(part.items() if isinstance(part, dict) else enumerate(part)):
        yield part, key
        yield from _values(inner)


def _storable(read: Any) -> bool:
    """Return whether PostgreSQL can store every text: no NUL, no half of a surrogate pair."""
    if isinstance(read, str):
        return "\x00" not in read and read == read.encode("utf-8", "ignore").decode()
    if dataclasses.is_dataclass(read) and not isinstance(read, type):
        return all(_storable(getattr(read, field.name)) for field in dataclasses.fields(read))
    if isinstance(read, dict):
        return all(_storable(one) for one in (*read, *read.values()))
    return all(map(_storable, read)) if isinstance(read, (list, tuple)) else True


def _request(draft: ShipmentDraft) -> ShipmentRequest:
    return ShipmentRequest(
        order_number=draft.order_number,
        order_date=draft.order_date,
        direction=Direction.FORWARD,
        payment_mode=draft.payment_mode,
        cod_amount=draft.cod_amount,
        consignee=draft.consignee,
        items=draft.items,
        parcel=draft.parcel,
        seller=SELLER,
        pickup=PICKUP,
        service=draft.service,
        invoice_number=draft.invoice_number,
        invoice_date=draft.invoice_date,
        options=draft.options,
    )


def _assert_valid_or_refused(request: ShipmentRequest) -> None:
    if problems := refusals.booking_problems(request, TODAY):
        assert all(problem.field and problem.message for problem in problems)
        return
    payload = payloads.shipment_payload(request)
    sent = json.loads(json.dumps(payload, allow_nan=False))
    paise = {n: round(Decimal(str(sent[n])) * 100) for n in sent if isinstance(sent[n], float)}
    assert paise["taxable_amount"] + paise["tax_value"] == paise["total_amount"]
    parts = ("seller_gst_amount", "consignee_gst_amount", "integrated_gst_amount")
    assert sum(paise[part] for part in parts) == paise["tax_value"]
    if "items" in sent:
        for whole, part in zip(parts, ("sgst", "cgst", "igst"), strict=True):
            of_lines = [round(Decimal(str(i[f"{part}_tax_value"])) * 100) for i in sent["items"]]
            assert min(of_lines) >= 0
            assert sum(of_lines) == paise[whole]
    assert 10**9 <= sent["drop_location"]["phone"] < 10**10
    if not is_there():
        return  # everything but the vendor's document was checked
    validator = request_validator("PUT", "/api/v1/package/create")
    assert isinstance(validator, jsonschema.Draft202012Validator)
    validator.validate(sent)
