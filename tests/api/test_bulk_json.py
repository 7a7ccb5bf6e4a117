"""The JSON of a bulk request is read in parts, with the same results as if it were read whole."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import APIException

from couriers.api import bulk_json
from couriers.api.parsers import BoundedJSONParser

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def read(content: bytes) -> Any:
    fields: dict[str, Any] = {}
    orders = list(bulk_json.read_orders(BytesIO(content), fields))
    if fields.get("orders") == [None] * len(orders):
        fields["orders"] = orders
    return fields


def outcome(reader: Any, content: bytes) -> Any:
    try:
        return reader(content)
    except APIException as error:
        return type(error).__name__, error.detail


def read_whole(content: bytes) -> Any:
    return BoundedJSONParser().parse(BytesIO(content))


@pytest.fixture(params=[1, 2, 3, 7, 1000])
def read_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(bulk_json, "READ_AT_ONCE", request.param)
    return int(request.param)


@settings(max_examples=150)
@given(st.dictionaries(TEXTS, VALUES, max_size=3), st.lists(VALUES, max_size=4), st.data())
def test_any_body_is_read_as_it_was_written(
    fields: dict[str, Any], orders: list[Any], data: st.DataObject
) -> None:
    body = fields | {"orders": orders}
    indent = data.draw(st.sampled_from([None, 0, 3]))
    text = json.dumps(body, indent=indent, ensure_ascii=data.draw(st.booleans()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_json, "READ_AT_ONCE", data.draw(st.integers(1, 40)))
        assert read(text.encode()) == body


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "{}", "[]", '"a"', "7", "{]", '{"orders"', '{"orders":', '{"orders":}',
     '{"orders": [', '{"orders": [1', '{"orders": [1,', '{"orders": [1,]}', '{"orders": [1 2]}',
     '{"orders": [1]', '{"orders": [1]} x', '{"orders": [1]}}', '{"orders": [1], }',
     '{"orders": [1] "a": 2}', '{"orders": [NaN]}', '{"orders": [-Infinity]}', "{'orders': []}",
     '{"orders": [tru]}', '{"orders": ["a]}', '{"orders": ["\\x"]}', '{"orders": ["\\u12"]}',
     '{"orders": ["\\ud800"]}', '{"orders": ["\\u0000"]}', '{"orders": [1e999]}', '{1: 2}',
     '{"orders": [{"a": 1, "a": 2}]}', '{"\\ud800": 1}', '{"orders": [' + "9" * 5000 + "]}",
     '{"orders": [-]}', '{"orders": [1.]}', '{"orders": [01]}', '\ufeff{"orders": []}',
     '{\n "orders": [\n  {"a": 1},\n  {"b": 2,}\n ]\n}', '{"orders": [\n\n7 8]}', "nul"],
)  # fmt: skip
def test_a_body_is_refused_as_it_is_when_it_is_read_whole(text: str, read_at_once: int) -> None:
    content = text.encode()
    whole, parts = outcome(read_whole, content), outcome(read, content)
    if isinstance(whole, tuple):
        assert parts[0] == whole[0]
        # Python names other places of some mistakes, within a token of ours.
        if "line" in str(whole[1]):
            assert str(parts[1]).split(",")[0] == str(whole[1]).split(",")[0]
        else:
            assert parts[1] == whole[1]
    elif isinstance(whole, dict):
        assert parts == whole
    else:
        assert parts == ("ValidationError", ["must be an object"])


def test_the_place_of_a_mistake_is_that_in_the_whole_body(read_at_once: int) -> None:
    text = '{"orders": [\n  {"a": "é👩"},\n  {"b": nope}\n]}'
    assert outcome(read, text.encode())[1] == "The body is not JSON (line 3, column 9)."


@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80"])
def test_the_byte_that_is_not_utf_8_is_named(read_at_once: int, bad: bytes) -> None:
    content = b'{"orders": ["\xe2\x82\xac' + bad + b'"]}'
    assert outcome(read, content) == ("ParseError", "The body is not UTF-8 (byte 16).")


def test_a_field_that_stands_twice_is_named(read_at_once: int) -> None:
    text = '{"orders": [1], "orders": [2]}'
    assert outcome(read, text.encode()) == outcome(read_whole, text.encode())


def test_nesting_without_end_is_refused() -> None:
    text = '{"orders": [' + "[" * 200_000
    assert outcome(read, text.encode())[1] == "The body is nested too deeply."


def test_an_order_that_is_larger_than_any_can_be_is_refused_without_reading_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk_json, "READ_AT_ONCE", 1000)
    monkeypatch.setattr(bulk_json, "MAX_VALUE", 5000)
    text = '{"orders": [{"a": "' + "x" * 100_000 + '"}]}'
    assert outcome(read, text.encode())[1] == "The body is not JSON (line 1, column 19)."


def test_an_order_is_read_when_it_is_asked_for() -> None:
    orders = bulk_json.read_orders(BytesIO(b'{"orders": [1, 2, 3, 4, this is not JSON'), {})
    assert list(islice(orders, 3)) == [1, 2, 3]
