"""A courier's own options are checked against its model, and described by a JSON Schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import pytest

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.options import (
    BoxedOptions,
    Centimetres,
    LongText,
    OptionalEwaybill,
    OptionalGstin,
    OptionalPhone,
    Options,
    ShortText,
    WebAddress,
    parse_options,
)
from couriers.testing.samples import SampleCalls
from couriers.testing.toy.adapter import ToyAdapter


class Samples(SampleCalls):
    adapter_class = ToyAdapter


class Box(Options):
    width_cm: Centimetres


class ToyOptions(Options):
    courier_name = "Toy"

    fragile: bool = False
    colour: ShortText = ""
    note: LongText = ""
    photo: WebAddress = "https://toy.example/"
    phone: OptionalPhone = ""
    gstin: OptionalGstin = ""
    ewaybill: OptionalEwaybill = ""
    boxes: list[Box] = []

    def conflicts(self) -> Sequence[FieldProblem]:
        if self.fragile and self.boxes:
            return [FieldProblem("options.boxes", "and fragile exclude each other")]
        return ()


class Adapter(BaseCourierAdapter):
    code = "toy"
    name = "Toy"
    options_model: ClassVar[type[Options] | None] = ToyOptions


class PlainAdapter(BaseCourierAdapter):
    code = "plain"
    name = "Plain"


def problems(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(p.field, p.message) for p in parse_options(ToyOptions, options)[1]]


def test_options_are_read_and_cleaned() -> None:
    given = {"fragile": True, "colour": " red\n", "phone": "+91 98450 12345"}
    parsed, found = parse_options(ToyOptions, given)
    assert (parsed.fragile, parsed.colour, parsed.phone, found) == (True, "red", "9845012345", [])


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"size": 1}, "options.size", "is not an option of Toy"),
        ({"boxes": [{"width_cm": 0}]}, "options.boxes[0].width_cm", "must be at least 1"),
        ({"boxes": [{"depth": 1}]}, "options.boxes[0].depth", "is not an option of Toy"),
        ({"fragile": "perhaps"}, "options.fragile", "must be true or false"),
        ({"note": "x" * 501}, "options.note", "is longer than 500 characters"),
        ({"photo": "ftp://x"}, "options.photo", "must be an address with http or https"),
        ({"phone": "12"}, "options.phone", "is not a ten-digit Indian phone number"),
        ({"gstin": "x"}, "options.gstin", "must be 15 characters like 29ABCDE1234F1Z5"),
        ({"ewaybill": "12"}, "options.ewaybill", "must be 12 digits"),
        (
            {"fragile": True, "boxes": [{"width_cm": 1}]},
            "options.boxes",
            "and fragile exclude each other",
        ),
    ],
)
def test_a_problem_names_the_option(options: dict[str, Any], field: str, message: str) -> None:
    assert (field, message) in problems(options)


def test_wrong_options_are_all_defaults() -> None:
    parsed, _ = parse_options(ToyOptions, {"fragile": True, "size": 1})
    assert parsed == ToyOptions()


def test_an_adapter_refuses_what_its_model_does_not_take() -> None:
    adapter = Adapter(cast(Account, None))
    assert adapter.validate_options({"fragile": True}) == {"fragile": True}
    with pytest.raises(InvalidRequest, match=r"options\.size") as caught:
        adapter.validate_options({"size": 1})
    assert caught.value.courier == "toy"
    plain = PlainAdapter(cast(Account, None))
    assert plain.validate_options({}) == {}
    with pytest.raises(InvalidRequest, match=r"options\.fragile: is not an option"):
        plain.validate_options({"fragile": True})


def test_the_options_have_a_json_schema() -> None:
    schema = Adapter.options_schema()
    assert set(schema["properties"]) == set(ToyOptions.model_fields)
    assert (schema["additionalProperties"], schema["properties"]["note"]["maxLength"]) == (
        False,
        500,
    )
    assert PlainAdapter.options_schema()["properties"] == {}


def test_the_options_of_a_request_are_defaults_where_one_is_wrong() -> None:
    request = Samples().booking_request("A-1")
    right = dataclasses.replace(request, options={"fragile": True})
    assert ToyOptions.of(right) == ToyOptions(fragile=True)
    wrong = dataclasses.replace(request, options={"fragile": True, "size": 1})
    assert ToyOptions.of(wrong) == ToyOptions()


def test_boxes_that_are_alike_are_counted_one_by_one() -> None:
    box = {"weight_g": 500, "length_cm": 10, "width_cm": 10, "height_cm": 10}
    packages = [{**box, "count": 2}, {**box, "weight_g": 900}]
    options = BoxedOptions.model_validate({"packages": packages})
    assert [one.weight_g for one in options.boxes] == [500, 500, 900]
    assert options.box_count == 3
    assert (BoxedOptions().boxes, BoxedOptions().box_count) == ([], 1)
