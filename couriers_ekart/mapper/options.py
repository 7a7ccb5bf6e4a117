"""What a merchant may put under `options` of a booking with Ekart. Pure.

Source: the schema `shipment` of the Ekart API 3.8.8 and its prose.
"""

from __future__ import annotations

import datetime as dt
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
from couriers.contract.text import has_control_characters


def _visible(text: str) -> str:
    if has_control_characters(text):
        raise ValueError("contains control characters")
    return text


Short = Annotated[str, Field(max_length=100), AfterValidator(_visible)]
Long = Annotated[str, Field(max_length=500), AfterValidator(_visible)]
Centimetres = Annotated[int, Field(ge=1, le=1000)]


class Options(BaseModel):
    """Base: an unknown key is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Package(Options):
    """One parcel of several (MPS): grams and centimetres; `count` alike."""

    weight_g: int = Field(ge=1, le=30_000)
    length_cm: Centimetres
    width_cm: Centimetres
    height_cm: Centimetres
    count: int = Field(default=1, ge=1, le=100)


class QualityCheck(Options):
    """What the rider compares a returned product with before taking it."""

    product_name: Annotated[Short, Field(min_length=1)]
    product_desc: Long = ""
    product_sku: Short = ""
    product_color: Short = ""
    product_size: Short = ""
    brand_name: Short = ""
    product_category: Short = ""
    ean_barcode: Short = ""
    serial_number: Short = ""
    imei_number: Short = ""
    product_images: list[Annotated[Long, Field(pattern=r"^https?://\S+$")]] = Field(
        default=[], max_length=10
    )


class EkartOptions(Options):
    """What Ekart offers beyond the neutral request.

    `alternate_phone` is ten digits once read. With `template_name` Ekart takes the parcel's sizes
    from its own template, with `packages` from these.
    """

    alternate_phone: str = Field(default="", max_length=30)
    preferred_dispatch_date: dt.date | None = None
    delayed_dispatch: StrictBool = False
    open_box_delivery: StrictBool = False
    ewaybill_number: str = Field(default="", pattern=r"^([0-9]{12})?$")
    what3words: Annotated[Short, Field(pattern=r"^(/{0,3}[^\s./]+\.[^\s./]+\.[^\s./]+)?$")] = ""
    template_name: Short = ""
    location_type: Literal["Office", "Home"] | None = None
    consignee_gstin: str = Field(default="", max_length=15)
    packages: list[Package] = Field(default=[], max_length=100)
    quality_check: QualityCheck | None = None

    @field_validator("alternate_phone")
    @classmethod
    def _ten_digits(cls, text: str) -> str:
        phone = india.parse_phone(text) if text else ""
        if phone is None:
            raise ValueError("is not a ten-digit Indian phone number")
        return phone

    @field_validator("consignee_gstin")
    @classmethod
    def _gstin(cls, text: str) -> str:
        if text and (trouble := india.gstin_problem(text)):
            raise ValueError(trouble)
        return text


def options_from(options: Mapping[str, Any]) -> tuple[EkartOptions, list[FieldProblem]]:
    """The options and what is wrong with them; defaults stand where something is."""
    try:
        read = EkartOptions.model_validate(dict(options))
    except ValidationError as error:
        return EkartOptions(), [
            FieldProblem(_field(found["loc"]), found["msg"].removeprefix("Value error, "))
            for found in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    return read, _together(read)


def _field(loc: tuple[int | str, ...]) -> str:
    """`options.packages[0].weight_g`, as the merchant wrote it."""
    return "options" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in loc
    )


def _together(options: EkartOptions) -> list[FieldProblem]:
    """What is right by itself and wrong together."""
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
