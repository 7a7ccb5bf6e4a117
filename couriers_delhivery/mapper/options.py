"""The schema of `options` of a booking with Delhivery. Pure."""

from typing import Literal

from pydantic import Field, StrictBool

from couriers.contract import options as kit
from couriers.contract.options import RequiredText, ShortText

# Delhivery wants these left out of texts.
UNWANTED = "&#%;\\"


class Question(kit.Options):
    """What the rider answers about a returned product; `questions_id` is Delhivery's own."""

    questions_id: RequiredText
    options: list[ShortText] = Field(default=[], max_length=20)
    value: list[ShortText] = Field(default=[], max_length=20)
    required: StrictBool = True
    type: ShortText = ""


class QualityCheck(kit.Options):
    """A returned product that the rider checks before accepting it."""

    item: RequiredText
    description: kit.LongText = ""
    images: list[kit.WebAddress] = Field(default=[], max_length=10)
    brand: ShortText = ""
    product_category: ShortText = ""
    quantity: int = Field(default=1, ge=1, le=1000)
    questions: list[Question] = Field(min_length=1, max_length=6)


class DelhiveryOptions(kit.BoxedOptions):
    """What Delhivery offers beyond the neutral request."""

    courier_name = "Delhivery"
    transport_speed: Literal["F", "D"] | None = None
    address_type: Literal["home", "office"] | None = None
    ewaybill_number: kit.OptionalEwaybill = ""
    fragile_shipment: StrictBool = False
    dangerous_good: StrictBool = False
    plastic_packaging: StrictBool = False
    # Delhivery refuses a third product, or takes the whole return without a check.
    quality_check: list[QualityCheck] = Field(default=[], max_length=2)
