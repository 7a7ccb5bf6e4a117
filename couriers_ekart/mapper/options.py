"""The schema of `options` of a booking with Ekart. Pure.

Source: the schema `shipment` of the Ekart API 3.8.8 and its prose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from couriers.contract.errors import FieldProblem
from couriers.contract.options import (
    Box,
    LongText,
    OptionalEwaybill,
    OptionalGstin,
    OptionalPhone,
    Options,
    RequiredText,
    ShortText,
    WebAddress,
    matching,
)


class Package(Box):
    """A parcel of a shipment of several (MPS)."""

    weight_g: int = Field(ge=1, le=30_000)


class QualityCheck(Options):
    """What the rider compares a returned product with before accepting it."""

    product_name: RequiredText
    product_desc: LongText = ""
    product_sku: ShortText = ""
    product_color: ShortText = ""
    product_size: ShortText = ""
    brand_name: ShortText = ""
    product_category: ShortText = ""
    ean_barcode: ShortText = ""
    serial_number: ShortText = ""
    imei_number: ShortText = ""
    product_images: list[WebAddress] = Field(default=[], max_length=10)


class EkartOptions(Options):
    """What Ekart offers beyond the neutral request.

    `alternate_phone` is ten digits after validation. The parcel's sizes are those of the request,
    of Ekart's own template with `template_name`, or of the parcels with `packages`.
    """

    courier_name = "Ekart"

    alternate_phone: OptionalPhone = ""
    preferred_dispatch_date: dt.date | None = None
    delayed_dispatch: StrictBool = False
    open_box_delivery: StrictBool = False
    ewaybill_number: OptionalEwaybill = ""
    what3words: Annotated[
        ShortText,
        matching(r"(/{0,3}[^\s./]+\.[^\s./]+\.[^\s./]+)?", "three words with dots between them"),
    ] = ""
    template_name: ShortText = ""
    location_type: Literal["Office", "Home"] | None = None
    consignee_gstin: OptionalGstin = ""
    packages: list[Package] = Field(default=[], max_length=100)
    quality_check: QualityCheck | None = None

    def conflicts(self) -> Sequence[FieldProblem]:
        """Return the problems of options that exclude each other."""
        excluded = []
        if self.delayed_dispatch and self.preferred_dispatch_date:
            excluded.append(("preferred_dispatch_date", "delayed_dispatch"))
        if self.packages and self.template_name:
            excluded.append(("packages", "template_name"))
        return [FieldProblem(f"options.{a}", f"and {b} exclude each other") for a, b in excluded]
