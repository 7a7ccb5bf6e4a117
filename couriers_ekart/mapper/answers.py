"""Read Ekart's answers into neutral dataclasses. Pure.

An answer that cannot be read raises Unknown, because Ekart may have done the work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.documents import ManifestDocument
from couriers.contract.errors import CourierError, Rejected, Unknown
from couriers.contract.money import to_paisa
from couriers.contract.types import (
    Booking,
    RateQuote,
    Scan,
    Serviceability,
    Tracking,
    WarehouseRegistration,
)
from couriers.contract.words import clean_message, words_in
from couriers_ekart.mapper import schemas
from couriers_ekart.mapper.sent import WORD_FIELDS
from couriers_ekart.mapper.statuses import EKART_MAPPER

A = TypeVar("A", bound=schemas.Answer)


def parse(kind: type[A], body: Any, operation: str) -> A:
    """Return an answer as its model. Raises Unknown, naming the fields that cannot be read."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        fields = (".".join(map(str, found["loc"])) or "body" for found in error.errors())
        raise unreadable_answer(operation, ", ".join(fields)) from None


def parse_list(kind: type[A], body: Any, operation: str) -> list[A]:
    """Return a list of answers as models. Raises Unknown if the body is not a list of them."""
    if not isinstance(body, list):
        raise unreadable_answer(operation, "body")
    return [parse(kind, one, operation) for one in body]


def unreadable_answer(operation: str, fields: str) -> Unknown:
    """Return the error for an answer whose `fields` cannot be read."""
    return Unknown(
        f"the answer cannot be read ({fields[:200]})", courier="ekart", operation=operation
    )


def rejection(operation: str, remark: str) -> Rejected:
    """Return the error for an answer with `status` false."""
    return Rejected(
        "refused", courier="ekart", operation=operation, courier_message=clean_message(remark)
    )


def booking_from(body: Any, operation: str = "create_shipment") -> Booking:
    """Return a booking, which needs HTTP 2xx, `status` true and a `tracking_id`.

    Raises Rejected if `status` is false, Unknown if there is no tracking id.
    """
    answer = parse(schemas.CreateAnswer, body, operation)
    if not answer.status:
        raise rejection(operation, answer.remark)
    if not answer.tracking_id:
        raise Unknown("booked without a tracking id", courier="ekart", operation=operation)
    return Booking(
        tracking_id=answer.tracking_id,
        waybill=answer.barcodes.wbn,
        vendor=answer.vendor,
        tracking_url=f"https://app.elite.ekartlogistics.in/track/{answer.tracking_id}",
        courier_status="Order Placed",
    )


def tracking_from(body: Any) -> Tracking:
    """Return all scans: the details, or only the latest status if there are no details."""
    answer = parse(schemas.TrackAnswer, body, "track")
    details = answer.track.details or [answer.track]
    return Tracking(
        tracking_id=answer.id,
        order_number=answer.order_number,
        scans=tuple(scan_from(detail) for detail in details),
        estimated_delivery=utc_from_milliseconds(answer.edd) if answer.edd is not None else None,
        attempts=answer.track.attempts,
    )


def scan_from(detail: schemas.TrackDetail) -> Scan:
    """Return one status update as a scan. Raises Unknown if its time is out of range."""
    return Scan(
        mapped=EKART_MAPPER.map(detail.status, reason=detail.ndrStatus),
        at=utc_from_milliseconds(detail.ctime),
        location=detail.location,
        description=detail.desc,
    )


def utc_from_milliseconds(milliseconds: int) -> dt.datetime:
    """Return a time of Ekart's (milliseconds since the epoch) in UTC.

    Raises Unknown for a time before 2000: seconds taken for milliseconds would be in 1970.
    """
    if not schemas.EARLIEST_MS <= milliseconds <= schemas.LATEST_MS:
        raise Unknown(f"{milliseconds} is not a time in milliseconds", courier="ekart")
    seconds, rest = divmod(milliseconds, 1000)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest * 1000)


def quote_from(body: Any, service: str) -> RateQuote:
    """Return a price in rupees. If `total` is missing, it is the sum of the parts.

    Raises Unknown for an answer without any amount.
    """
    answer = parse(schemas.EstimateAnswer, body, "estimate")
    parts = {
        "shipping": answer.shippingCharge,
        "fuel": answer.fuelSurcharge,
        "cod": answer.codCharge,
        "quality_check": answer.qcCharge,
        "tax": answer.taxes,
    }
    known = {name: amount for name, amount in parts.items() if amount is not None}
    if answer.total is None and not known:
        raise Unknown("a quote without any amount", courier="ekart", operation="estimate")
    total = answer.total if answer.total is not None else sum(known.values(), Decimal(0))
    # Only a parcel that goes back to its origin costs this, so it is not in the total.
    if answer.rtoCharge is not None:
        known["rto"] = answer.rtoCharge
    return RateQuote(service=service, total=to_paisa(total), parts=known, zone=answer.zone)


def serviceability_from(body: Any, pincode: str) -> Serviceability:
    """Return what Ekart offers at a pincode."""
    answer = parse(schemas.ServiceabilityAnswer, body, "serviceability")
    details = answer.details or schemas.PincodeDetails()
    return Serviceability(
        pincode=pincode,
        serviceable=answer.status,
        cod=details.cod,
        max_cod_amount=details.max_cod_amount,
        forward_pickup=details.forward_pickup,
        forward_drop=details.forward_drop,
        reverse_pickup=details.reverse_pickup,
        reverse_drop=details.reverse_drop,
        city=details.city,
        state=india.state_name(details.state) or details.state,
        remark=answer.remark,
    )


def bulk_serviceability_from(body: Any) -> Iterator[Serviceability]:
    """Yield every pincode of the list; one without any service is not serviceable.

    The list has no COD limits. Raises Unknown at a line that cannot be read, because it may be
    the line of a pincode that is served.
    """
    operation = "bulk_serviceability"
    lines = body.get("serviceability") if isinstance(body, dict) else None
    for line in parse_list(schemas.BulkLine, lines, operation):
        yield Serviceability(
            pincode=line.pincode,
            serviceable=line.fm or line.lmCod or line.lmPrepaid or line.rvp,
            cod=line.lmCod,
            forward_pickup=line.fm,
            forward_drop=line.lmCod or line.lmPrepaid,
            reverse_pickup=line.rvp,
        )


def delivery_days_from(body: Any) -> tuple[int | None, int | None] | None:
    """Return the fewest and the most days of delivery on a lane, or None if it is not served."""
    partners = parse_list(schemas.LaneAnswer, body, "lane_serviceability")
    if not partners:
        return None
    fewest = [p.tat.min for p in partners if p.tat.min is not None]
    most = [p.tat.max for p in partners if p.tat.max is not None]
    return min(fewest, default=None), max(most, default=None)


def cancellation_from(body: Any, tracking_id: str) -> ActionResult:
    """Return how a cancellation ended; a shipment that is already cancelled is done.

    Raises Rejected for another refusal, Unknown if the answer is about other shipments.
    """
    operation = "cancel_shipment"
    answer = parse(schemas.AcknowledgementList, body, operation)
    mine = [a for a in answer.data if a.tracking_id in ("", tracking_id)]
    if not mine:
        raise Unknown("the answer is about other shipments", courier="ekart", operation=operation)
    if mine[0].status:
        return ActionResult(remark=clean_message(mine[0].remark))
    return accept_already_cancelled(rejection(operation, mine[0].remark))


def accept_already_cancelled(refusal: Rejected) -> ActionResult:
    """Return done if Ekart refused because the shipment is already cancelled; else raise it."""
    if "already cancel" not in refusal.courier_message.casefold():
        raise refusal
    return ActionResult(remark=refusal.courier_message)


def dispatch_refusals_from(body: Any, tracking_ids: list[str]) -> list[tuple[str, str]]:
    """Return the ids whose dispatch date was refused, each with Ekart's message.

    Raises Unknown if an id has no answer.
    """
    operation = "set_dispatch_date"
    answer = parse(schemas.AcknowledgementList, body, operation)
    by_id = {a.tracking_id: a for a in answer.data}
    if missing := [one for one in tracking_ids if one not in by_id]:
        raise Unknown(
            f"no answer for {', '.join(missing[:5])}", courier="ekart", operation=operation
        )
    return [
        (one, clean_message(by_id[one].remark)) for one in tracking_ids if not by_id[one].status
    ]


def ndr_from(body: Any) -> ActionResult:
    """Return how a request for another attempt or a return to origin ended. Raises Rejected.

    Ekart only takes it on: the attempt is made on its day, and the parcel's scans tell whether.
    """
    answer = parse(schemas.Acknowledgement, body, "ndr")
    if not answer.status:
        raise rejection("ndr", answer.remark)
    return ActionResult(ActionState.ACCEPTED, remark=clean_message(answer.remark))


def manifest_from(body: Any) -> ManifestDocument:
    """Return a manifest's number, its time in UTC and its URL."""
    answer = parse(schemas.ManifestAnswer, body, "manifest")
    return ManifestDocument(
        number=answer.manifestNumber,
        created_at=utc_from_milliseconds(answer.ctime),
        url=answer.manifestDownloadUrl,
    )


def label_error(body: Any) -> CourierError:
    """Return the error for JSON in the place of a label: Ekart refuses some with HTTP 200."""
    message = words_in(body, WORD_FIELDS)
    if message or (isinstance(body, dict) and body.get("status") is False):
        return rejection("label", message)
    return Unknown("the answer is not a PDF", courier="ekart", operation="label")


def label_data_from(body: Any) -> list[dict[str, Any]]:
    """Return what the labels say: the document does not describe the objects.

    The body is a list of them, or a single one. Raises Rejected for a refusal, Unknown otherwise.
    """
    if isinstance(body, dict) and (body.get("status") is False or "statusCode" in body):
        raise label_error(body)
    labels = body if isinstance(body, list) else [body]
    if not labels or not all(isinstance(label, dict) for label in labels):
        raise unreadable_answer("label", "body")
    return labels


def registration_from(body: Any, alias: str) -> WarehouseRegistration:
    """Return a registered address; an alias that exists already is registered. Raises Rejected."""
    answer = parse(schemas.AddressAnswer, body, "add_address")
    alias = answer.alias or alias
    if not answer.status:
        return accept_already_registered(rejection("add_address", answer.remark), alias)
    return WarehouseRegistration(reference=alias, remark=clean_message(answer.remark))


def accept_already_registered(refusal: Rejected, alias: str) -> WarehouseRegistration:
    """Return the alias as registered if Ekart refused because it exists already; else raise it."""
    if "already" not in refusal.courier_message.casefold():
        raise refusal
    return WarehouseRegistration(reference=alias, remark=refusal.courier_message)
