"""Ekart's answers as pydantic models, which are read tolerantly (couriers.contract.reading). Pure.

The document's own examples break its schemas. What is optional in practice has a default.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from couriers.contract.reading import (
    Answer,
    Flag,
    Identifier,
    IndiaTime,
    MillisecondsTime,
    OrDefault,
    RequiredId,
    Rupees,
    StatusAnswer,
    Text,
)


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


class CreateAnswer(StatusAnswer):
    """/api/v1/package/create; only `status` and `tracking_id` decide whether it is booked."""

    tracking_id: OrDefault[Identifier] = ""
    vendor: OrDefault[Identifier] = ""
    barcodes: OrDefault[Barcodes] = Barcodes()


class Acknowledgement(StatusAnswer):
    """/api/v2/package/ndr, /api/v2/address, and one shipment of an AcknowledgementList."""

    tracking_id: Identifier = ""
    alias: Identifier = ""


class AcknowledgementList(Answer):
    """/api/v1/package/cancel and /data/shipment/dispatch-date."""

    data: list[Acknowledgement]


class TrackDetail(Answer):
    """One status update."""

    status: Annotated[Text, Field(min_length=1)]
    time: MillisecondsTime = Field(alias="ctime")
    description: OrDefault[Text] = Field(default="", alias="desc")
    location: OrDefault[Text] = ""
    ndr_status: OrDefault[Text] = Field(default="", alias="ndrStatus")


class Track(TrackDetail):
    attempts: OrDefault[int | None] = None
    details: list[TrackDetail] = []


class TrackAnswer(Answer):
    """/api/v1/track/{id}; `edd` is the expected time of delivery."""

    track: Track
    id: Text = Field(default="", alias="_id")
    edd: OrDefault[MillisecondsTime | None] = None
    order_number: Text = ""


class PriceParts(Answer):
    """The parts of a price in rupees, by their names in a RateQuote; each may be missing."""

    shipping: Rupees | None = Field(default=None, alias="shippingCharge")
    fuel: Rupees | None = Field(default=None, alias="fuelSurcharge")
    cod: Rupees | None = Field(default=None, alias="codCharge")
    quality_check: Rupees | None = Field(default=None, alias="qcCharge")
    tax: Rupees | None = Field(default=None, alias="taxes")


class EstimateAnswer(PriceParts):
    """/data/pricing/estimate."""

    zone: Text = ""
    total: Rupees | None = None
    rto: Rupees | None = Field(default=None, alias="rtoCharge")


class PincodeDetails(Answer):
    """What Ekart offers at a pincode, by the names of Serviceability."""

    cod: Flag | None = None
    max_cod_amount: Rupees | None = None
    forward_pickup: Flag | None = None
    forward_drop: Flag | None = None
    reverse_pickup: Flag | None = None
    reverse_drop: Flag | None = None
    city: Text = ""
    state: Text = ""


class ServiceabilityAnswer(StatusAnswer):
    """/api/v2/serviceability/{pincode}; `details` may be missing when `status` is false."""

    details: PincodeDetails = PincodeDetails()


class WebhookAnswer(Answer):
    """/api/v2/webhook."""

    id: Text
    url: Text = ""
    active: Flag = True
    topics: list[Text] = []


class ManifestAnswer(Answer):
    """/data/v2/generate/manifest."""

    number: RequiredId = Field(alias="manifestNumber", max_length=50)
    created_at: MillisecondsTime = Field(alias="ctime")
    url: Text = Field(alias="manifestDownloadUrl", max_length=1000, pattern=r"^https?://\S+$")


class DeliveryDays(Answer):
    min: int | None = Field(default=None, ge=0, le=365)
    max: int | None = Field(default=None, ge=0, le=365)


class LaneAnswer(Answer):
    """One partner of /data/v3/serviceability; `tat` is in days."""

    tat: DeliveryDays = DeliveryDays()


class BulkLine(Answer):
    """One pincode of /data/serviceability/bulk/{type}."""

    pincode: Text
    first_mile: Flag = Field(alias="fm")
    cod: Flag = Field(alias="lmCod")
    prepaid: Flag = Field(alias="lmPrepaid")
    reverse: Flag = Field(alias="rvp")


class NetworkScan(Answer):
    """One line of the network's own history, with its time in one of two fields."""

    status: Text = ""
    event_date: OrDefault[IndiaTime | None] = None
    event_date_iso8601: OrDefault[IndiaTime | None] = None
    hub_name: Text = ""
    city: Text = ""
    public_description: Text = ""
    description: Text = ""


class NetworkShipment(Answer):
    """A parcel in the network's history: the whole answer for a shipment that is not large."""

    order_id: OrDefault[Identifier] = ""
    expected_delivery_date: OrDefault[IndiaTime | None] = None
    history: list[NetworkScan] = []


class LargeAnswer(Answer):
    """/data/v1/elite/track/{wbn} for a large shipment: one parcel or several."""

    shipments: list[NetworkShipment] = Field(min_length=1)
