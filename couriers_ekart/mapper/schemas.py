"""Ekart's answers as pydantic models. Pure.

Answers are read tolerantly, because the document's own examples break its schemas: unknown fields
are kept, numbers may be strings, and what is optional in practice may be missing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticUseDefault

from couriers.contract.masking import MASK
from couriers.contract.text import is_storable, make_storable


def _as_text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Python refuses to convert an integer of thousands of digits to text.
        return str(value) if isinstance(value, float) or value.bit_length() < 4096 else ""
    return value


def _require_identifier(text: str) -> str:
    if not is_storable(text):
        raise ValueError("contains characters that cannot be stored")
    if MASK in text:
        raise ValueError("repeats a private value that was sent, and is no id")
    return text


def _or_default(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        raise PydanticUseDefault from None


T = TypeVar("T")
# A field that the answer is useful without: a value that cannot be read counts as missing.
OrDefault = Annotated[T, WrapValidator(_or_default)]
# Text for people: characters that cannot be stored are removed.
Text = Annotated[str, BeforeValidator(_as_text), AfterValidator(make_storable)]
# An id or a number of Ekart's that is kept in a column: never changed, refused if it does not fit.
Identifier = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(_require_identifier), Field(max_length=100)
]
Rupees = Annotated[Decimal, Field(ge=-(10**9), le=10**9)]
# The years 2000 to 2099 in milliseconds since the epoch; seconds, taken for these, are in 1970.
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_799_999
Milliseconds = Annotated[int, Field(ge=EARLIEST_MS, le=LATEST_MS)]


class Answer(BaseModel):
    """Base of everything that Ekart sends."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)


class TokenAnswer(Answer):
    """/integrations/v2/auth/token/{client_id}; `expires_in` is in seconds.

    The values are checked so that they fit into a header and a date: otherwise every later call
    with the token would fail.
    """

    access_token: str = Field(pattern=r"^[\x21-\x7e]+$")
    token_type: str = Field(default="Bearer", pattern=r"^[A-Za-z]{1,20}$")
    expires_in: float = Field(ge=0, le=366 * 86_400)


class Barcodes(Answer):
    wbn: OrDefault[Identifier] = ""


class CreateAnswer(Answer):
    """/api/v1/package/create; only `status` and `tracking_id` decide whether it is booked."""

    status: bool
    remark: OrDefault[Text] = ""
    tracking_id: OrDefault[Identifier] = ""
    vendor: OrDefault[Identifier] = ""
    barcodes: OrDefault[Barcodes] = Barcodes()


class Acknowledgement(Answer):
    """/api/v2/package/ndr, and one shipment of an AcknowledgementList."""

    status: bool
    remark: Text = ""
    tracking_id: Identifier = ""


class AcknowledgementList(Answer):
    """/api/v1/package/cancel and /data/shipment/dispatch-date."""

    data: list[Acknowledgement]


class TrackDetail(Answer):
    """One status update; `ctime` is milliseconds since the epoch."""

    status: Annotated[Text, Field(min_length=1)]
    ctime: int
    desc: OrDefault[Text] = ""
    location: OrDefault[Text] = ""
    ndrStatus: OrDefault[Text] = ""  # noqa: N815 - Ekart's spelling


class Track(TrackDetail):
    attempts: OrDefault[int | None] = None
    details: list[TrackDetail] = []


class TrackAnswer(Answer):
    """/api/v1/track/{id}; `edd` is milliseconds since the epoch."""

    track: Track
    id: Text = Field(default="", alias="_id")
    edd: OrDefault[Milliseconds | None] = None
    order_number: Text = ""


class EstimateAnswer(Answer):
    """/data/pricing/estimate; every amount is in rupees and may be missing."""

    zone: Text = ""
    billingWeight: Text = ""  # noqa: N815
    shippingCharge: Rupees | None = None  # noqa: N815
    rtoCharge: Rupees | None = None  # noqa: N815
    fuelSurcharge: Rupees | None = None  # noqa: N815
    codCharge: Rupees | None = None  # noqa: N815
    qcCharge: Rupees | None = None  # noqa: N815
    taxes: Rupees | None = None
    total: Rupees | None = None


class PincodeDetails(Answer):
    cod: bool | None = None
    max_cod_amount: Rupees | None = None
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
    alias: Identifier = ""
    remark: Text = ""


class WebhookAnswer(Answer):
    """/api/v2/webhook."""

    id: Text
    url: Text = ""
    active: bool = True
    topics: list[Text] = []


class ManifestAnswer(Answer):
    """/data/v2/generate/manifest; `ctime` is milliseconds since the epoch."""

    ctime: int
    manifestNumber: Annotated[Text, Field(min_length=1, max_length=50)]  # noqa: N815
    manifestDownloadUrl: Annotated[  # noqa: N815
        Text, Field(max_length=1000, pattern=r"^https?://\S+$")
    ]


class DeliveryDays(Answer):
    min: int | None = Field(default=None, ge=0, le=365)
    max: int | None = Field(default=None, ge=0, le=365)


class LaneAnswer(Answer):
    """One partner of /data/v3/serviceability; `tat` is in days."""

    tat: DeliveryDays = DeliveryDays()
    courierGroup: Text = ""  # noqa: N815


class BulkLine(Answer):
    """One pincode of /data/serviceability/bulk/{type}: first mile, last mile, reverse pickup."""

    pincode: Text
    fm: bool
    lmCod: bool  # noqa: N815
    lmPrepaid: bool  # noqa: N815
    rvp: bool


class NetworkScan(Answer):
    """One line of the network's own history; times are ISO 8601, without a zone in India time."""

    status: Text
    event_date: Text = ""
    event_date_iso8601: Text = ""
    hub_name: Text = ""
    city: Text = ""
    public_description: Text = ""
    description: Text = ""


class NetworkShipment(Answer):
    """A parcel in the network's history: the whole answer for a shipment that is not large."""

    order_id: Text = ""
    expected_delivery_date: Text = ""
    history: list[NetworkScan] = []


class LargeAnswer(Answer):
    """/data/v1/elite/track/{wbn} for a large shipment: one parcel or several."""

    shipments: list[NetworkShipment] = Field(min_length=1)
