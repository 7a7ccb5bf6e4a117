"""What Ekart answers, and what a merchant may put under `options`. Pure pydantic models.

Answers are read tolerantly (the document's own examples break its schemas): unknown fields are
kept, numbers may come as strings, and what is optional in practice may be missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from couriers import india
from couriers.errors import FieldProblem


def _as_text(value: Any) -> Any:
    if value is None:
        return ""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Answer(BaseModel):
    """Base of what Ekart sends."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)


class TokenAnswer(Answer):
    """/integrations/v2/auth/token/{client_id}; `expires_in` is in seconds."""

    access_token: str = Field(min_length=1)
    token_type: str = "Bearer"  # noqa: S105
    expires_in: float = Field(gt=0)


class Barcodes(Answer):
    wbn: Text = ""
    order: Text = ""


class CreateAnswer(Answer):
    """/api/v1/package/create."""

    status: bool
    remark: Text = ""
    tracking_id: Text = ""
    vendor: Text = ""
    barcodes: Barcodes = Barcodes()


class Acknowledgement(Answer):
    status: bool
    remark: Text = ""
    tracking_id: Text = ""


class AcknowledgementList(Answer):
    """/api/v1/package/cancel."""

    data: list[Acknowledgement]


class TrackDetail(Answer):
    status: str
    ctime: int
    desc: Text = ""
    location: Text = ""
    ndrStatus: Text = ""  # noqa: N815 - Ekart's spelling


class Track(TrackDetail):
    attempts: int | None = None
    details: list[TrackDetail] = []


class TrackAnswer(Answer):
    """/api/v1/track/{id}; times are milliseconds since the epoch."""

    track: Track
    id: Text = Field(default="", alias="_id")
    edd: int | None = None
    order_number: Text = ""


class EstimateAnswer(Answer):
    """/data/pricing/estimate; every amount is a string of rupees and may be missing."""

    zone: Text = ""
    billingWeight: Text = ""  # noqa: N815
    shippingCharge: Decimal | None = None  # noqa: N815
    rtoCharge: Decimal | None = None  # noqa: N815
    fuelSurcharge: Decimal | None = None  # noqa: N815
    codCharge: Decimal | None = None  # noqa: N815
    qcCharge: Decimal | None = None  # noqa: N815
    taxes: Decimal | None = None
    total: Decimal | None = None


class PincodeDetails(Answer):
    cod: bool | None = None
    max_cod_amount: Decimal | None = None
    forward_pickup: bool | None = None
    forward_drop: bool | None = None
    reverse_pickup: bool | None = None
    reverse_drop: bool | None = None
    city: Text = ""
    state: Text = ""


class ServiceabilityAnswer(Answer):
    """/api/v2/serviceability/{pincode}; `details` may be missing when `status` is false."""

    status: bool
    remark: Text = ""
    details: PincodeDetails | None = None


class AddressAnswer(Answer):
    """/api/v2/address."""

    status: bool
    alias: Text = ""
    remark: Text = ""


class WebhookAnswer(Answer):
    """/api/v2/webhook."""

    id: Text
    url: str = ""
    active: bool = True
    topics: list[str] = []


class EkartOptions(BaseModel):
    """What Ekart offers beyond the neutral request (/api/v1/package/create)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    alternate_phone: str = ""
    preferred_dispatch_date: dt.date | None = None
    delayed_dispatch: bool = False
    open_box_delivery: bool = False
    ewaybill_number: str = Field(default="", pattern=r"^([0-9]{12})?$")
    what3words: str = Field(default="", max_length=100)
    template_name: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _together(self) -> EkartOptions:
        if self.delayed_dispatch and self.preferred_dispatch_date:
            raise ValueError("delayed_dispatch and preferred_dispatch_date exclude each other")
        if self.alternate_phone:
            phone = india.parse_phone(self.alternate_phone)
            if phone is None:
                raise ValueError("alternate_phone is not a ten-digit Indian phone number")
            self.alternate_phone = phone
        return self


def options_from(options: Mapping[str, Any]) -> tuple[EkartOptions, list[FieldProblem]]:
    """The options and what is wrong with them; defaults stand where something is."""
    try:
        return EkartOptions.model_validate(dict(options)), []
    except ValidationError as error:
        problems = [
            FieldProblem(".".join(["options", *map(str, found["loc"])]), found["msg"])
            for found in error.errors(include_url=False, include_input=False)
        ]
        return EkartOptions(), problems
