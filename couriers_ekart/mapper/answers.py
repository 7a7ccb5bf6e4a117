"""Read Ekart's answers into neutral dataclasses, tolerantly (couriers.contract.reading). Pure.

The document's own examples break its schemas. What is optional in practice has a default.
An answer that cannot be read raises Unknown, because Ekart may have done the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import Field

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.documents import DocumentLink, ManifestDocument
from couriers.contract.errors import CourierError, Rejected
from couriers.contract.money import to_paisa
from couriers.contract.reading import (
    Answer,
    Flag,
    Identifier,
    MillisecondsTime,
    OrDefault,
    Reader,
    RequiredId,
    Rupees,
    StatusAnswer,
    Text,
    words_if_done,
)
from couriers.contract.serviceability import served
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import (
    Booking,
    RateQuote,
    Serviceability,
    WarehouseRegistration,
)
from couriers.contract.words import clean_message, words_in
from couriers_ekart.mapper.sent import WORD_FIELDS

READER = Reader("ekart")
parse, parse_list = READER.parse, READER.parse_list


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


def booking_from(body: Any) -> Booking:
    """Return a booking, which needs HTTP 2xx, `status` true and a `tracking_id`.

    Raises Rejected if `status` is false, Unknown if there is no tracking id.
    """
    operation = "create_shipment"
    answer = READER.parse_accepted(CreateAnswer, body, operation)
    if not answer.tracking_id:
        raise READER.unknown(operation, "booked without a tracking id")
    return Booking(
        tracking_id=answer.tracking_id,
        waybill=answer.barcodes.wbn,
        vendor=answer.vendor,
        tracking_url=f"https://app.elite.ekartlogistics.in/track/{answer.tracking_id}",
        courier_status="Order Placed",
    )


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


def quote_from(body: Any, service: str) -> RateQuote:
    """Return a price in rupees. If `total` is missing, it is the sum of the parts.

    Raises Unknown for an answer without any amount.
    """
    answer = parse(EstimateAnswer, body, "estimate")
    parts = answer.model_dump(include=set(PriceParts.model_fields), exclude_none=True)
    if answer.total is None and not parts:
        raise READER.unknown("estimate", "a quote without any amount")
    total = answer.total if answer.total is not None else sum(parts.values(), Decimal(0))
    # Only a parcel that goes back to its origin costs this, so it is not in the total.
    if answer.rto is not None:
        parts["rto"] = answer.rto
    return RateQuote(service=service, total=to_paisa(total), parts=parts, zone=answer.zone)


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


def serviceability_from(body: Any, pincode: str) -> Serviceability:
    """Return what Ekart offers at a pincode."""
    answer = parse(ServiceabilityAnswer, body, "serviceability")
    details = answer.details.model_dump()
    details["state"] = india.state_name(details["state"]) or details["state"]
    return Serviceability(pincode, answer.status, remark=answer.remark, **details)


class BulkLine(Answer):
    """One pincode of /data/serviceability/bulk/{type}."""

    pincode: Text
    first_mile: Flag = Field(alias="fm")
    cod: Flag = Field(alias="lmCod")
    prepaid: Flag = Field(alias="lmPrepaid")
    reverse: Flag = Field(alias="rvp")


def bulk_serviceability_from(body: Any) -> Iterator[Serviceability]:
    """Yield every pincode of the list; one without any service is not serviceable.

    The list has no COD limits. Raises Unknown at a line that cannot be read, because it may be
    the line of a pincode that is served.
    """
    operation = "bulk_serviceability"
    for line in parse_list(BulkLine, body, operation, field="serviceability"):
        yield served(
            line.pincode,
            prepaid=line.prepaid,
            cod=line.cod,
            pickup=line.first_mile,
            reverse=line.reverse,
        )


class DeliveryDays(Answer):
    min: int | None = Field(default=None, ge=0, le=365)
    max: int | None = Field(default=None, ge=0, le=365)


class LaneAnswer(Answer):
    """One partner of /data/v3/serviceability; `tat` is in days."""

    tat: DeliveryDays = DeliveryDays()


def delivery_days_from(body: Any) -> tuple[int | None, int | None] | None:
    """Return the fewest and the most days of delivery on a lane, or None if it is not served."""
    partners = parse_list(LaneAnswer, body, "lane_serviceability")
    if not partners:
        return None
    fewest = [p.tat.min for p in partners if p.tat.min is not None]
    most = [p.tat.max for p in partners if p.tat.max is not None]
    return min(fewest, default=None), max(most, default=None)


class Acknowledgement(StatusAnswer):
    """/api/v2/package/ndr, /api/v2/address, and one shipment of an AcknowledgementList."""

    tracking_id: Identifier = ""
    alias: Identifier = ""


class AcknowledgementList(Answer):
    """/api/v1/package/cancel and /data/shipment/dispatch-date."""

    data: list[Acknowledgement]


def cancellation_from(body: Any, tracking_id: str, status: Status | None) -> ActionResult:
    """Return how a cancellation ended: it is done.

    Raises Rejected for a refusal, Unknown if the answer is about other shipments.
    """
    operation = "cancel_shipment"
    answer = parse(AcknowledgementList, body, operation)
    mine = [a for a in answer.data if a.tracking_id in ("", tracking_id)]
    if not mine:
        raise READER.unknown(operation, "the answer is about other shipments")
    if not mine[0].status:
        raise READER.rejection(operation, mine[0].remark)
    return _cancelled(clean_message(mine[0].remark), status)


def accept_already_cancelled(refusal: Rejected, status: Status | None) -> ActionResult:
    """Return done if Ekart refused because the shipment is already cancelled; else raise it."""
    return _cancelled(words_if_done(refusal, "already cancel"), status)


def _cancelled(remark: str, status: Status | None) -> ActionResult:
    """Return done: before its pickup the shipment has ended, later the parcel is returned."""
    if status is not None:
        status = Status.CANCELLED if status in AWAITING_PICKUP else Status.RTO_REQUESTED
    return ActionResult(remark=remark, status=status)


def dispatch_refusals_from(body: Any, tracking_ids: list[str]) -> list[tuple[str, str]]:
    """Return the ids whose dispatch date was refused, each with Ekart's message.

    Raises Unknown if an id has no answer.
    """
    operation = "set_dispatch_date"
    by_id = {a.tracking_id: a for a in parse(AcknowledgementList, body, operation).data}
    if missing := [one for one in tracking_ids if one not in by_id]:
        raise READER.unknown(operation, f"no answer for {', '.join(missing[:5])}")
    return [
        (one, clean_message(by_id[one].remark)) for one in tracking_ids if not by_id[one].status
    ]


def ndr_from(body: Any) -> ActionResult:
    """Return how a request for another attempt or a return to origin ended. Raises Rejected.

    Ekart only takes it on: the attempt is made on its day, and the parcel's scans tell whether.
    """
    answer = READER.parse_accepted(Acknowledgement, body, "ndr")
    return ActionResult(ActionState.ACCEPTED, remark=clean_message(answer.remark))


class ManifestAnswer(Answer):
    """/data/v2/generate/manifest."""

    number: RequiredId = Field(alias="manifestNumber", max_length=50)
    created_at: MillisecondsTime = Field(alias="ctime")
    url: Text = Field(alias="manifestDownloadUrl", max_length=1000, pattern=r"^https?://\S+$")


def manifest_from(body: Any) -> ManifestDocument:
    """Return a manifest's number, its time in UTC and the link to its PDF."""
    answer = parse(ManifestAnswer, body, "manifest")
    link = DocumentLink(answer.url, f"manifest-{answer.number}.pdf")
    return ManifestDocument(answer.number, answer.created_at, link)


def label_error(body: Any) -> CourierError:
    """Return the error for JSON in the place of a label: Ekart refuses some with HTTP 200."""
    message = words_in(body, WORD_FIELDS)
    if message or (isinstance(body, dict) and body.get("status") is False):
        return READER.rejection("label", message)
    return READER.unknown("label", "the answer is not a PDF")


def label_data_from(body: Any) -> list[dict[str, Any]]:
    """Return what the labels say: the document does not describe the objects.

    The body is a list of them, or a single one. Raises Rejected for a refusal, Unknown otherwise.
    """
    if isinstance(body, dict) and (body.get("status") is False or "statusCode" in body):
        raise label_error(body)
    labels = body if isinstance(body, list) else [body]
    if not labels or not all(isinstance(label, dict) for label in labels):
        raise READER.unreadable("label")
    return labels


def registration_from(body: Any, alias: str) -> WarehouseRegistration:
    """Return a registered address. Raises Rejected."""
    answer = READER.parse_accepted(Acknowledgement, body, "add_address")
    return WarehouseRegistration(answer.alias or alias, remark=clean_message(answer.remark))


def accept_already_registered(refusal: Rejected, alias: str) -> WarehouseRegistration:
    """Return the alias as registered if Ekart refused because it exists already; else raise it."""
    return WarehouseRegistration(reference=alias, remark=words_if_done(refusal, "already"))


class WebhookAnswer(Answer):
    """/api/v2/webhook."""

    id: Text
    url: Text = ""
    active: Flag = True
    topics: list[Text] = []
