"""The options of a booking that only one courier has: declared as a pydantic model. Pure.

A plug-in names its model in `BaseCourierAdapter.options_model`. The platform checks a merchant's
options against it, and shows its JSON Schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from couriers.contract import india
from couriers.contract.errors import FieldProblem
from couriers.contract.text import character_problem, clean_line
from couriers.contract.types import ShipmentRequest


class Options(BaseModel):
    """Base of a courier's options, and of the objects in them.

    An unknown key is an error, it is not ignored. `courier_name` is for the message.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    courier_name: ClassVar[str] = "this courier"

    @classmethod
    def of(cls, request: ShipmentRequest) -> Self:
        """Return a request's options; those with a wrong value are all defaults."""
        return parse_options(cls, request.options)[0]

    def conflicts(self) -> Sequence[FieldProblem]:
        """Return the problems of options that exclude each other."""
        return ()


M = TypeVar("M", bound=Options)


def matching(pattern: str, expected: str) -> AfterValidator:
    """Return a validator of a text that must match the pattern; `expected` says how it looks."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {expected}")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    text = clean_line(text)
    if problem := character_problem(text):
        raise ValueError(problem)
    return text


def _ten_digits(text: str) -> str:
    if not text:
        return ""
    if problem := india.single_phone_problem(text):
        raise ValueError(problem)
    return india.parse_phone(text) or ""


def _gstin(text: str) -> str:
    if text and (problem := india.gstin_problem(text)):
        raise ValueError(problem)
    return text


ShortText = Annotated[str, Field(max_length=100), AfterValidator(_one_line)]
RequiredText = Annotated[ShortText, Field(min_length=1)]
LongText = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
WebAddress = Annotated[LongText, matching(r"https?://\S+", "an address with http or https")]
Centimetres = Annotated[int, Field(ge=1, le=1000)]
# A phone as people write it; ten digits after validation, or "".
OptionalPhone = Annotated[str, Field(max_length=30), AfterValidator(_ten_digits)]
OptionalGstin = Annotated[str, Field(max_length=15), AfterValidator(_gstin)]
# The number of an e-way bill, or "".
OptionalEwaybill = Annotated[ShortText, matching(r"([0-9]{12})?", "12 digits")]


class Box(Options):
    """A box of a shipment of several, in grams and centimetres; `count` are alike."""

    weight_g: int = Field(ge=1, le=1_000_000)
    length_cm: Centimetres
    width_cm: Centimetres
    height_cm: Centimetres
    count: int = Field(default=1, ge=1, le=100)


class BoxedOptions(Options):
    """Base of options with `packages`, for couriers that take a shipment of several boxes."""

    packages: list[Box] = Field(default=[], max_length=20)

    @property
    def boxes(self) -> list[Box]:
        """Each box of a shipment of several; an empty list for a single parcel."""
        return [package for package in self.packages for _ in range(package.count)]

    @property
    def box_count(self) -> int:
        """How many boxes travel: one where there are no `packages`."""
        return len(self.boxes) or 1


def parse_options(kind: type[M], options: Mapping[str, Any]) -> tuple[M, list[FieldProblem]]:
    """Return the options and their problems, with fields named `options.…`.

    Options with a wrong value are all defaults.
    """
    try:
        parsed = kind.model_validate(dict(options))
    except ValidationError as error:
        return kind(), [
            FieldProblem(_field_name(found["loc"]), _message(kind, found))
            for found in error.errors(include_url=False, include_input=False)
        ]
    return parsed, list(parsed.conflicts())


# The merchant's words for the kinds of pydantic's errors, with the facts of an error in braces.
_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not an option of {courier}",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "too_long": "has more than {max_length} entries",
    "string_type": "must be a text",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is missing",
    "too_short": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
}


def _message(kind: type[Options], found: Any) -> str:
    """Return the words for an error of pydantic, or those of our own validator."""
    error, facts = found["type"], found.get("ctx", {})
    if error == "value_error":
        return str(facts["error"])
    if error.startswith("date_"):
        return "must be a day like 2026-11-25"
    return _MESSAGES.get(error, "is not valid").format(courier=kind.courier_name, **facts)


def _field_name(loc: tuple[int | str, ...]) -> str:
    """Return the field as the merchant wrote it, such as `options.packages[0].weight_g`."""
    return "options" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in loc
    )
