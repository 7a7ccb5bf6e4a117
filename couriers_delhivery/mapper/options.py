"""The schema of `options` of a booking with Delhivery. Pure."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from couriers.contract import options as fields


class Package(fields.Options):
    """A box of a shipment of several (MPS), in grams and centimetres; `count` are alike."""

    weight_g: int = Field(ge=1, le=1_000_000)
    length_cm: fields.Centimetres
    width_cm: fields.Centimetres
    height_cm: fields.Centimetres
    count: int = Field(default=1, ge=1, le=20)


class Question(fields.Options):
    """What the rider answers about a returned product; `questions_id` is Delhivery's own."""

    questions_id: Annotated[fields.ShortText, Field(min_length=1)]
    options: list[fields.ShortText] = Field(default=[], max_length=20)
    value: list[fields.ShortText] = Field(default=[], max_length=20)
    required: StrictBool = True
    type: fields.ShortText = ""


class QualityCheck(fields.Options):
    """A returned product that the rider checks before accepting it."""

    item: Annotated[fields.ShortText, Field(min_length=1)]
    description: fields.LongText = ""
    images: list[fields.WebAddress] = Field(default=[], max_length=10)
    brand: fields.ShortText = ""
    product_category: fields.ShortText = ""
    quantity: int = Field(default=1, ge=1, le=1000)
    questions: list[Question] = Field(min_length=1, max_length=6)


class DelhiveryOptions(fields.Options):
    """What Delhivery offers beyond the neutral request."""

    courier_name = "Delhivery"

    transport_speed: Literal["F", "D"] | None = None
    address_type: Literal["home", "office"] | None = None
    ewaybill_number: fields.OptionalEwaybill = ""
    fragile_shipment: StrictBool = False
    dangerous_good: StrictBool = False
    plastic_packaging: StrictBool = False
    packages: list[Package] = Field(default=[], max_length=20)
    # Delhivery refuses a third product, or takes the whole return without a check.
    quality_check: list[QualityCheck] = Field(default=[], max_length=2)

    def boxes(self) -> list[Package]:
        """Return each box of a shipment of several; an empty list for a single parcel."""
        return [package for package in self.packages for _ in range(package.count)]
