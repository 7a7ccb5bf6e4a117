"""Laws of Delhivery's mapper: whatever is answered, and whatever is sent."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couriers.contract.errors import CourierError
from couriers.contract.types import Booking, PaymentMode
from couriers.http.calls import Call
from couriers_delhivery.client import OPERATIONS
from couriers_delhivery.mapper import payloads
from couriers_delhivery.mapper.answers import booking_from
from tests.support.delhivery import EXCHANGES, READERS, REQUEST, WAYBILL, read, request_with

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
anything = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)
EXAMPLES = {
    operation: [one["answer"] for one in json.loads((EXCHANGES / f"{operation}.json").read_text())]
    for operation in READERS
}


@st.composite
def damaged(draw: st.DrawFn, operation: str) -> Any:
    """A known answer in which one field, at any depth, has any value."""
    answer = json.loads(json.dumps(draw(st.sampled_from(EXAMPLES[operation]))))
    place = answer
    while isinstance(place, (dict, list)) and place:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
            place[key] = draw(anything)
            break
        place = place[key]
    return answer


@pytest.mark.parametrize("operation", READERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_answer_is_read_or_refused_as_an_error_of_the_contract(
    operation: str, data: st.DataObject
) -> None:
    answer = data.draw(anything | damaged(operation))
    status = data.draw(st.sampled_from([200, 201, 400, 401, 403, 404, 500]))
    with suppress(CourierError):
        read(operation, status, json.dumps(answer).encode())


@given(answer=damaged("create_shipment"))
@settings(max_examples=200, deadline=None)
def test_only_a_success_of_our_order_is_a_booking(answer: Any) -> None:
    try:
        booking = booking_from(answer, REQUEST, 1)
    except CourierError:
        return
    assert isinstance(booking, Booking)
    mine = [one for one in answer["packages"] if str(one.get("refnum")) == "A-1"]
    assert [str(one["waybill"]) for one in mine] == [booking.tracking_id]
    assert str(mine[0]["status"]).casefold() == "success"


@given(name=texts, street=texts, goods=texts)
@settings(deadline=None)
def test_any_text_passes_the_wire_without_what_breaks_it(
    name: str, street: str, goods: str
) -> None:
    request = request_with(
        consignee=dataclasses.replace(REQUEST.consignee, name=name, address=street),
        items=(dataclasses.replace(REQUEST.items[0], name=goods),),
    )
    form = payloads.create_form(request, (WAYBILL,))
    body, _ = Call("create", OPERATIONS["create_shipment"], "/", form=form).body()
    assert body is not None
    sent = json.loads(parse_qs(body.decode(), strict_parsing=True)["data"][0])
    assert sent == form["data"]
    (shipment,) = sent["shipments"]
    assert not any(
        set("&#%;\\") & set(value) for value in shipment.values() if isinstance(value, str)
    )
    assert shipment["order"] == "A-1"


@given(
    cash=st.decimals(min_value="1", max_value="49999", places=2),
    counts=st.lists(st.integers(1, 5), min_size=2, max_size=4),
)
@settings(deadline=None)
def test_the_amounts_of_boxes_add_up_to_the_paisa(cash: Decimal, counts: list[int]) -> None:
    box = {"weight_g": 500, "length_cm": 10, "width_cm": 10, "height_cm": 10}
    request = request_with(
        payment_mode=PaymentMode.COD,
        cod_amount=cash,
        options={"packages": [{**box, "count": count} for count in counts]},
    )
    numbers = [f"{84300000000000 + n}" for n in range(sum(counts))]
    boxes = payloads.create_form(request, numbers)["data"]["shipments"]
    assert [one["waybill"] for one in boxes] == numbers
    for field, total in (("cod_amount", cash), ("total_amount", Decimal("1523.00"))):
        assert sum(Decimal(str(one.get(field, 0))) for one in boxes) == total
