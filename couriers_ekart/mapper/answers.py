"""What Ekart's answers say, in neutral words. Pure.

Whatever cannot be read raises Unknown: the work may have been done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from couriers.contract import india
from couriers.contract.errors import CourierError, Rejected, Unknown
from couriers.contract.money import to_paisa
from couriers.contract.types import (
    ActionResult,
    Booking,
    ManifestDocument,
    RateQuote,
    Scan,
    Serviceability,
    Tracking,
    WarehouseRegistration,
)
from couriers_ekart.mapper import schemas
from couriers_ekart.mapper.statuses import EKART_MAPPER
from couriers_ekart.mapper.words import clean, words_of

A = TypeVar("A", bound=schemas.Answer)


def read(kind: type[A], body: Any, operation: str) -> A:
    """An answer as its model. Raises Unknown for one that cannot be read."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        where = (".".join(map(str, found["loc"])) or "body" for found in error.errors())
        raise unreadable(operation, ", ".join(where)) from None


def read_list(kind: type[A], body: Any, operation: str) -> list[A]:
    """A list of answers. Raises Unknown for what is none."""
    if not isinstance(body, list):
        raise unreadable(operation, "body")
    return [read(kind, one, operation) for one in body]


def unreadable(operation: str, where: str) -> Unknown:
    """The error for an answer of which these fields cannot be read."""
    return Unknown(
        f"the answer cannot be read ({where[:200]})", courier="ekart", operation=operation
    )


def refused(operation: str, remark: str) -> Rejected:
    """The error for an answer with `status` false."""
    return Rejected("refused", courier="ekart", operation=operation, courier_message=clean(remark))


def booking_from(body: Any, operation: str = "create_shipment") -> Booking:
    """A booking: HTTP 2xx *and* `status` true *and* a `tracking_id`; anything less is not one."""
    answer = read(schemas.CreateAnswer, body, operation)
    if not answer.status:
        raise refused(operation, answer.remark)
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
    """All scans: the details, or the latest status alone where there are none."""
    answer = read(schemas.TrackAnswer, body, "track")
    details = answer.track.details or [answer.track]
    return Tracking(
        tracking_id=answer.id,
        order_number=answer.order_number,
        scans=tuple(scan_from(detail) for detail in details),
        estimated_delivery=moment(answer.edd) if answer.edd is not None else None,
        attempts=answer.track.attempts,
    )


def scan_from(detail: schemas.TrackDetail) -> Scan:
    """One status update. Raises Unknown for a time that cannot be one."""
    return Scan(
        mapped=EKART_MAPPER.map(detail.status[:100], reason=detail.ndrStatus[:100]),
        at=moment(detail.ctime),
        location=detail.location[:200],
        description=detail.desc[:500],
    )


def moment(milliseconds: int) -> dt.datetime:
    """A time of Ekart's (milliseconds since the epoch) in UTC. Raises Unknown before 2000.

    A number of seconds reads as a day in 1970: refused rather than guessed at.
    """
    if not schemas.EARLIEST <= milliseconds <= schemas.LATEST:
        raise Unknown(f"{milliseconds} is not a time in milliseconds", courier="ekart")
    seconds, rest = divmod(milliseconds, 1000)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest * 1000)


def quote_from(body: Any, service: str) -> RateQuote:
    """A price; `total` may be missing, then the parts are added up."""
    answer = read(schemas.EstimateAnswer, body, "estimate")
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
    if answer.rtoCharge is not None:
        known["rto"] = answer.rtoCharge
    return RateQuote(service=service, total=to_paisa(total), parts=known, zone=answer.zone)


def serviceability_from(body: Any, pincode: str) -> Serviceability:
    """What Ekart does at a pincode."""
    answer = read(schemas.ServiceabilityAnswer, body, "serviceability")
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
    """The list of pincodes; one with nothing offered is not serviceable. COD limits are not in it.

    A line that cannot be read breaks the list off: it may be the one that was asked for.
    """
    operation = "bulk_serviceability"
    lines = body.get("serviceability") if isinstance(body, dict) else None
    for line in read_list(schemas.BulkLine, lines, operation):
        yield Serviceability(
            pincode=line.pincode,
            serviceable=line.fm or line.lmCod or line.lmPrepaid or line.rvp,
            cod=line.lmCod,
            forward_pickup=line.fm,
            forward_drop=line.lmCod or line.lmPrepaid,
            reverse_pickup=line.rvp,
        )


def days_from(body: Any) -> tuple[int | None, int | None] | None:
    """The fewest and the most days of delivery on a lane, or None where nobody serves it."""
    partners = read_list(schemas.LaneAnswer, body, "lane_serviceability")
    if not partners:
        return None
    fewest = [p.tat.min for p in partners if p.tat.min is not None]
    most = [p.tat.max for p in partners if p.tat.max is not None]
    return min(fewest, default=None), max(most, default=None)


def cancel_from(body: Any, tracking_id: str) -> ActionResult:
    """The end of a cancellation; "already cancelled" comes as a refusal and is done."""
    operation = "cancel_shipment"
    answer = read(schemas.AcknowledgementList, body, operation)
    mine = [a for a in answer.data if a.tracking_id in ("", tracking_id)]
    if not mine:
        raise Unknown("the answer is about other shipments", courier="ekart", operation=operation)
    if mine[0].status:
        return ActionResult(remark=clean(mine[0].remark))
    return cancelled_already(refused(operation, mine[0].remark))


def cancelled_already(refusal: Rejected) -> ActionResult:
    """What is done by a refusal to cancel, in whatever form it came. Raises any other one."""
    if "already cancel" not in refusal.courier_message.casefold():
        raise refusal
    return ActionResult(remark=refusal.courier_message)


def dispatch_refusals_from(body: Any, tracking_ids: list[str]) -> list[tuple[str, str]]:
    """The ids whose dispatch date was refused, with Ekart's words; one without an answer raises."""
    operation = "set_dispatch_date"
    answer = read(schemas.AcknowledgementList, body, operation)
    said = {a.tracking_id: a for a in answer.data}
    if missing := [one for one in tracking_ids if one not in said]:
        raise Unknown(
            f"no answer for {', '.join(missing[:5])}", courier="ekart", operation=operation
        )
    return [(one, clean(said[one].remark)) for one in tracking_ids if not said[one].status]


def ndr_from(body: Any) -> ActionResult:
    """The end of another attempt or a return to origin that was asked for."""
    answer = read(schemas.Acknowledgement, body, "ndr")
    if not answer.status:
        raise refused("ndr", answer.remark)
    return ActionResult(remark=clean(answer.remark))


def manifest_from(body: Any) -> ManifestDocument:
    """A manifest's number, time and address."""
    answer = read(schemas.ManifestAnswer, body, "manifest")
    return ManifestDocument(
        number=answer.manifestNumber,
        created_at=moment(answer.ctime),
        url=answer.manifestDownloadUrl,
    )


def label_failure(body: Any) -> CourierError:
    """Why an answer in a label's place is none: some refusals come as JSON with HTTP 200."""
    words = words_of(body)
    if words or (isinstance(body, dict) and body.get("status") is False):
        return refused("label", words)
    return Unknown("the answer is not a PDF", courier="ekart", operation="label")


def label_data_from(body: Any) -> list[dict[str, Any]]:
    """What the labels say. The document does not describe it: a list of objects, or one of them."""
    if isinstance(body, dict) and (body.get("status") is False or "statusCode" in body):
        raise label_failure(body)
    labels = body if isinstance(body, list) else [body]
    if not labels or not all(isinstance(label, dict) for label in labels):
        raise unreadable("label", "body")
    return labels


def registration_from(body: Any, alias: str) -> WarehouseRegistration:
    """A registered address; an alias that exists already is registered."""
    answer = read(schemas.AddressAnswer, body, "add_address")
    if not answer.status:
        return registered_already(refused("add_address", answer.remark), answer.alias or alias)
    return WarehouseRegistration(reference=answer.alias or alias, remark=clean(answer.remark))


def registered_already(refusal: Rejected, alias: str) -> WarehouseRegistration:
    """What is done by a refusal to register, in whatever form it came. Raises any other one."""
    if "already" not in refusal.courier_message.casefold():
        raise refusal
    return WarehouseRegistration(reference=alias, remark=refusal.courier_message)
