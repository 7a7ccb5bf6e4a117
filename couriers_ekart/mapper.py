"""From neutral requests to Ekart's JSON, and from Ekart's JSON to neutral answers. Pure.

Money stays Decimal until the last step, where the document wants JSON numbers.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from couriers import india
from couriers.errors import FieldProblem, Rejected, Unknown
from couriers.money import amounts_of, to_paisa
from couriers.types import (
    ActionResult,
    Address,
    Booking,
    Direction,
    PaymentMode,
    Pickup,
    RateQuote,
    RateRequest,
    Scan,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)
from couriers_ekart import schemas
from couriers_ekart.schemas import options_from
from couriers_ekart.statuses import EKART_MAPPER

INDIA = ZoneInfo("Asia/Kolkata")
MAX_COD = Decimal(49999)
MAX_WEIGHT_G = 30_000
EWAYBILL_ABOVE = Decimal(50_000)
SERVICES = ("SURFACE", "EXPRESS")

A = TypeVar("A", bound=schemas.Answer)


def check(request: ShipmentRequest, today: dt.date) -> list[FieldProblem]:
    """Everything that Ekart would refuse; `today` is the date in India."""
    options, problems = options_from(request.options)

    def demand(holds: bool, field: str, message: str) -> None:
        if not holds:
            problems.append(FieldProblem(field, message))

    if trouble := india.gstin_problem(request.seller.gstin):
        demand(False, "seller.gstin", trouble)
    demand(bool(request.seller.name), "seller.name", "is missing")
    demand(bool(request.seller.address), "seller.address", "is missing")
    amounts = amounts_of(request.items)
    demand(amounts.taxable >= 1, "items", "are worth less than ₹1 without GST")
    demand(request.cod_amount <= MAX_COD, "cod_amount", f"is more than ₹{MAX_COD:,}")
    demand(
        request.parcel.weight_g <= MAX_WEIGHT_G,
        "parcel.weight_g",
        f"is more than {MAX_WEIGHT_G // 1000} kg",
    )
    demand(
        amounts.total <= EWAYBILL_ABOVE or bool(options.ewaybill_number),
        "options.ewaybill_number",
        f"is required above ₹{EWAYBILL_ABOVE:,}",
    )
    dispatch = options.preferred_dispatch_date
    demand(
        dispatch is None or dispatch > today,
        "options.preferred_dispatch_date",
        "must be tomorrow or later, India time",
    )
    demand(request.service in ("", *SERVICES), "service", f"is not one of {', '.join(SERVICES)}")
    if request.direction == Direction.REVERSE:
        demand(bool(request.return_reason), "return_reason", "is required for a return")
        demand(request.cod_amount == 0, "cod_amount", "a return collects no money")
    return problems


def shipment_payload(request: ShipmentRequest, *, registered: bool = True) -> dict[str, Any]:
    """The body of PUT /api/v1/package/create.

    `registered` says that `request.pickup.reference` is an address Ekart knows; without it the
    whole address is sent. In a reverse shipment, too, the customer is `drop_location` and the
    seller `pickup_location` (the document, under "Reverse Shipments").
    """
    options, _ = options_from(request.options)
    amounts = amounts_of(request.items)
    reverse = request.direction == Direction.REVERSE
    pickup = pickup_location(request.pickup, registered=registered)
    payload: dict[str, Any] = {
        "seller_name": request.seller.name,
        "seller_address": request.seller.address,
        "seller_gst_tin": request.seller.gstin,
        "order_number": request.order_number,
        "invoice_number": request.invoice_number or request.order_number,
        "invoice_date": (request.invoice_date or request.order_date).isoformat(),
        "consignee_name": request.consignee.name,
        "payment_mode": "Pickup" if reverse else _PAYMENT_MODES[request.payment_mode],
        "category_of_goods": next((i.category for i in request.items if i.category), "General"),
        "products_desc": ", ".join(item.name for item in request.items)[:500],
        "total_amount": float(amounts.total),
        "tax_value": float(amounts.tax),
        "taxable_amount": float(amounts.taxable),
        "commodity_value": str(amounts.taxable),
        "cod_amount": float(request.cod_amount),
        "quantity": sum(item.quantity for item in request.items),
        "weight": request.parcel.weight_g,
        "drop_location": _drop_location(request.consignee),
        "pickup_location": pickup,
        "return_location": pickup,
    }
    payload |= _gst_parts(request, amounts.tax)
    if hsn_code := next((item.hsn_code for item in request.items if item.hsn_code), ""):
        payload["hsn_code"] = hsn_code
    if options.template_name:
        payload["templateName"] = options.template_name
    else:
        payload |= {
            "length": request.parcel.length_cm,
            "width": request.parcel.width_cm,
            "height": request.parcel.height_cm,
        }
    if reverse:
        payload["return_reason"] = request.return_reason
    # Ekart refuses an alternate phone that equals the phone, so it is left out, not repeated.
    if options.alternate_phone and options.alternate_phone != request.consignee.phone:
        payload["consignee_alternate_phone"] = options.alternate_phone
    if options.preferred_dispatch_date:
        payload["preferred_dispatch_date"] = options.preferred_dispatch_date.isoformat()
    if options.delayed_dispatch:
        payload["delayed_dispatch"] = True
    if options.open_box_delivery:
        payload["obd_shipment"] = True
    if options.ewaybill_number:
        payload["ewbn"] = options.ewaybill_number
    if options.what3words:
        payload["what3words_address"] = options.what3words
    return payload


_PAYMENT_MODES = {PaymentMode.PREPAID: "Prepaid", PaymentMode.COD: "COD"}


def _gst_parts(request: ShipmentRequest, tax: Decimal) -> dict[str, Any]:
    """IGST between states; within one, half CGST and half SGST, which add up to the paisa."""
    if india.state_name(request.seller.state) != india.state_name(request.consignee.state):
        return {"integrated_gst_amount": float(tax)}
    half = to_paisa(tax / 2)
    return {"seller_gst_amount": float(half), "consignee_gst_amount": float(tax - half)}


def pickup_location(pickup: Pickup, *, registered: bool) -> dict[str, Any]:
    """A registered address goes by its alias alone; another is spelt out."""
    if registered:
        return {"name": pickup.reference}
    address = pickup.address
    return _drop_location(address) | {"name": address.name}


def _drop_location(address: Address) -> dict[str, Any]:
    return {
        "name": address.name,
        "phone": int(address.phone),
        "address": address.address,
        "city": address.city,
        "state": address.state,
        "country": "India",
        "pin": int(address.pincode),
    }


def address_payload(pickup: Pickup, alias: str) -> dict[str, Any]:
    """The body of POST /api/v2/address."""
    address = pickup.address
    return {
        "alias": alias,
        "phone": int(address.phone),
        "address_line1": address.address,
        "pincode": int(address.pincode),
        "city": address.city,
        "state": address.state,
        "country": "India",
    }


def estimate_payload(request: RateRequest, service: str, client_type: str) -> dict[str, Any]:
    """The body of POST /data/pricing/estimate."""
    reverse = request.direction == Direction.REVERSE
    return {
        "billingClientType": client_type,
        "shippingDirection": "REVERSE" if reverse else "FORWARD",
        "serviceType": service,
        "pickupPincode": int(request.pickup_pincode),
        "dropPincode": int(request.drop_pincode),
        "invoiceAmount": float(to_paisa(request.invoice_amount)),
        "codAmount": float(to_paisa(request.cod_amount)),
        "weight": request.parcel.weight_g,
        "length": request.parcel.length_cm,
        "width": request.parcel.width_cm,
        "height": request.parcel.height_cm,
        "paymentMode": "Pickup" if reverse else _PAYMENT_MODES[request.payment_mode],
    }


def read(kind: type[A], body: Any, operation: str) -> A:
    """An answer as its model. Raises Unknown for one that cannot be read."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors())
        raise Unknown(
            f"the answer cannot be read ({fields[:200]})", courier="ekart", operation=operation
        ) from None


def booking_from(body: Any, operation: str = "create_shipment") -> Booking:
    """A booking: HTTP 2xx *and* `status` true *and* a `tracking_id`; anything less is not one."""
    answer = read(schemas.CreateAnswer, body, operation)
    if not answer.status:
        raise Rejected(
            "refused", courier="ekart", operation=operation, courier_message=answer.remark[:500]
        )
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
        estimated_delivery=moment(answer.edd) if answer.edd else None,
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
    if not 946_684_800_000 <= milliseconds < 4_102_444_800_000:
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


def cancel_from(body: Any, tracking_id: str) -> ActionResult:
    """The end of a cancellation; "already cancelled" comes as a refusal and is done."""
    answer = read(schemas.AcknowledgementList, body, "cancel_shipment")
    mine = [a for a in answer.data if a.tracking_id in ("", tracking_id)]
    if not mine:
        raise Unknown(
            "the answer is about other shipments", courier="ekart", operation="cancel_shipment"
        )
    remark = mine[0].remark
    if mine[0].status or "already cancelled" in remark.casefold():
        return ActionResult(remark=remark)
    raise Rejected(
        "refused", courier="ekart", operation="cancel_shipment", courier_message=remark[:500]
    )


def registration_from(body: Any, alias: str) -> WarehouseRegistration:
    """A registered address; an alias that exists already is registered."""
    answer = read(schemas.AddressAnswer, body, "add_address")
    if not answer.status and "already" not in answer.remark.casefold():
        raise Rejected(
            "refused",
            courier="ekart",
            operation="add_address",
            courier_message=answer.remark[:500],
        )
    return WarehouseRegistration(reference=answer.alias or alias, remark=answer.remark)


def today_in_india(now: dt.datetime) -> dt.date:
    """The date in India at a moment."""
    return now.astimezone(INDIA).date()
