"""The schema of `options` of a booking with Ekart. Pure.

Source: the schema `shipment` of the Ekart API 3.8.8 and its prose.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    field_validator,
)

from couriers.contract import india
from couriers.contract.errors import FieldProblem
from couriers.contract.text import character_problem, clean_line


def _one_line(text: str) -> str:
    text = clean_line(text)
    if problem := character_problem(text):
        raise ValueError(problem)
    return text


def _matching(pattern: str, expected: str) -> AfterValidator:
    """Return a validator of a text that must match the pattern; `expected` says how it looks."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {expected}")
        return text

    return AfterValidator(check)


ShortText = Annotated[str, Field(max_length=100), AfterValidator(_one_line)]
LongText = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
Centimetres = Annotated[int, Field(ge=1, le=1000)]


class Options(BaseModel):
    """Base of the schema: an unknown key is an error, it is not ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Package(Options):
    """A parcel of a shipment of several (MPS), in grams and centimetres; `count` are alike."""

    weight_g: int = Field(ge=1, le=30_000)
    length_cm: Centimetres
    width_cm: Centimetres
    height_cm: Centimetres
    count: int = Field(default=1, ge=1, le=100)


class QualityCheck(Options):
    """What the rider compares a returned product with before accepting it."""

    product_name: Annotated[ShortText, Field(min_length=1)]
    product_desc: LongText = ""
    product_sku: ShortText = ""
    product_color: ShortText = ""
    product_size: ShortText = ""
    brand_name: ShortText = ""
    product_category: ShortText = ""
    ean_barcode: ShortText = ""
    serial_number: ShortText = ""
    imei_number: ShortText = ""
    product_images: list[
        Annotated[LongText, _matching(r"https?://\S+", "an address with http or https")]
    ] = Field(default=[], max_length=10)


class EkartOptions(Options):
    """What Ekart offers beyond the neutral request.

    `alternate_phone` is ten digits after validation. The parcel's sizes are those of the request,
    of Ekart's own template with `template_name`, or of the parcels with `packages`.
    """

    alternate_phone: str = Field(default="", max_length=30)
    preferred_dispatch_date: dt.date | None = None
    delayed_dispatch: StrictBool = False
    open_box_delivery: StrictBool = False
    ewaybill_number: Annotated[ShortText, _matching(r"([0-9]{12})?", "12 digits")] = ""
    what3words: Annotated[
        ShortText,
        _matching(r"(/{0,3}[^\s./]+\.[^\s./]+\.[^\s./]+)?", "three words with dots between them"),
    ] = ""
    template_name: ShortText = ""
    location_type: Literal["Office", "Home"] | None = None
    consignee_gstin: str = Field(default="", max_length=15)
    packages: list[Package] = Field(default=[], max_length=100)
    quality_check: QualityCheck | None = None

    @field_validator("alternate_phone")
    @classmethod
    def _ten_digits(cls, text: str) -> str:
        if not text:
            return ""
        if problem := india.single_phone_problem(text):
            raise ValueError(problem)
        return india.parse_phone(text) or ""

    @field_validator("consignee_gstin")
    @classmethod
    def _gstin(cls, text: str) -> str:
        if text and (problem := india.gstin_problem(text)):
            raise ValueError(problem)
        return text


def parse_options(options: Mapping[str, Any]) -> tuple[EkartOptions, list[FieldProblem]]:
    """Return the options and their problems. Options with a wrong value are all defaults."""
    try:
        parsed = EkartOptions.model_validate(dict(options))
    except ValidationError as error:
        return EkartOptions(), [
            FieldProblem(_field_name(found["loc"]), _message(found))
            for found in error.errors(include_url=False, include_input=False)
        ]
    return parsed, _conflicts(parsed)


# The merchant's words for the kinds of pydantic's errors, with the facts of an error in braces.
_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not an option of Ekart",
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
    "literal_error": "must be {expected}",
}


def _message(found: Any) -> str:
    """Return the words for an error of pydantic, or those of our own validator."""
    kind, facts = found["type"], found.get("ctx", {})
    if kind == "value_error":
        return str(facts["error"])
    if kind.startswith("date_"):
        return "must be a day like 2026-11-25"
    return _MESSAGES.get(kind, "is not valid").format(**facts)


def _field_name(loc: tuple[int | str, ...]) -> str:
    """Return the field as the merchant wrote it, such as `options.packages[0].weight_g`."""
    return "options" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in loc
    )


def _conflicts(options: EkartOptions) -> list[FieldProblem]:
    """Return the problems of options that exclude each other."""
    problems = []
    if options.delayed_dispatch and options.preferred_dispatch_date:
        problems.append(
            FieldProblem(
                "options.preferred_dispatch_date", "and delayed_dispatch exclude each other"
            )
        )
    if options.packages and options.template_name:
        problems.append(FieldProblem("options.packages", "and template_name exclude each other"))
    return problems
