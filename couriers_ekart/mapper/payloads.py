"""Build the bodies of Ekart's calls from neutral requests that were checked. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from couriers.contract import india
from couriers.contract.actions import ReattemptRequest
from couriers.contract.money import amounts_of, split_gst, to_paisa
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    PaymentMode,
    Pickup,
    RateRequest,
    ShipmentRequest,
)
from couriers_ekart.mapper.options import EkartOptions, Package, QualityCheck, parse_options

_PAYMENT_MODES = {PaymentMode.PREPAID: "Prepaid", PaymentMode.COD: "COD"}


def shipment_payload(request: ShipmentRequest, *, registered: bool = True) -> dict[str, Any]:
    """Return the body of PUT /api/v1/package/create.

    `registered` says that Ekart knows the address `request.pickup.reference`; otherwise the whole
    address is sent. The customer is `drop_location` and the seller `pickup_location` in reverse
    shipments, too (the document, under "Reverse Shipments").
    """
    options, _ = parse_options(request.options)
    return (
        _order_fields(request)
        | _goods_fields(request.items)
        | _amount_fields(request)
        | _location_fields(request, options, registered=registered)
        | _size_fields(request, options)
        | _option_fields(request, options)
    )


def _order_fields(request: ShipmentRequest) -> dict[str, Any]:
    """Return seller, consignee, order, invoice, payment mode and service."""
    reverse = request.direction == Direction.REVERSE
    fields: dict[str, Any] = {
        "seller_name": request.seller.name,
        "seller_address": request.seller.address,
        "seller_gst_tin": request.seller.gstin,
        "order_number": request.order_number,
        "invoice_number": request.invoice_number or request.order_number,
        "invoice_date": (request.invoice_date or request.order_date).isoformat(),
        "consignee_name": request.consignee.name,
        "payment_mode": "Pickup" if reverse else _PAYMENT_MODES[request.payment_mode],
    }
    if reverse:
        fields["return_reason"] = request.return_reason
    if request.service:
        # The document does not list a service for this call: the name is the estimate's.
        fields["serviceType"] = request.service
    return fields


def _goods_fields(items: Sequence[Item]) -> dict[str, Any]:
    """Return what is in the parcel; category and HSN code are those of the first line with one."""
    fields: dict[str, Any] = {
        "category_of_goods": next((item.category for item in items if item.category), "General"),
        "products_desc": ", ".join(item.name for item in items)[:500],
        "quantity": sum(item.quantity for item in items),
    }
    if hsn_code := next((item.hsn_code for item in items if item.hsn_code), ""):
        fields["hsn_code"] = hsn_code
    return fields


def _amount_fields(request: ShipmentRequest) -> dict[str, Any]:
    amounts = amounts_of(request.items)
    seller_part, consignee_part, integrated = _gst_parts(request, amounts.tax)
    return {
        "total_amount": float(amounts.total),
        "tax_value": float(amounts.tax),
        "taxable_amount": float(amounts.taxable),
        "commodity_value": str(amounts.taxable),
        "cod_amount": float(request.cod_amount),
        "seller_gst_amount": float(seller_part),
        "consignee_gst_amount": float(consignee_part),
        "integrated_gst_amount": float(integrated),
    }


def _location_fields(
    request: ShipmentRequest, options: EkartOptions, *, registered: bool
) -> dict[str, Any]:
    pickup = pickup_location(request.pickup, registered=registered)
    drop = _location(request.consignee)
    if options.location_type:
        drop["location_type"] = options.location_type
    return {"drop_location": drop, "pickup_location": pickup, "return_location": pickup}


def _size_fields(request: ShipmentRequest, options: EkartOptions) -> dict[str, Any]:
    """Return the weight in grams, and the sizes in centimetres or the template that has them."""
    weight = {"weight": request.parcel.weight_g}
    if options.template_name:
        return weight | {"templateName": options.template_name}
    return weight | {
        "length": request.parcel.length_cm,
        "width": request.parcel.width_cm,
        "height": request.parcel.height_cm,
    }


def _option_fields(request: ShipmentRequest, options: EkartOptions) -> dict[str, Any]:
    """Return the options that the merchant gave; the others are left out, not sent empty."""
    # Ekart refuses an alternate phone that equals the phone.
    repeated = options.alternate_phone == request.consignee.phone
    day = options.preferred_dispatch_date
    fields: dict[str, Any] = {
        "consignee_alternate_phone": "" if repeated else options.alternate_phone,
        "preferred_dispatch_date": day.isoformat() if day else "",
        "delayed_dispatch": options.delayed_dispatch,
        "obd_shipment": options.open_box_delivery,
        "ewbn": options.ewaybill_number,
        "what3words_address": options.what3words,
        "consignee_gst_tin": options.consignee_gstin,
    }
    if options.packages:
        fields |= {
            "mps": True,
            "items": _items(request),
            "packages": [_package(package) for package in options.packages],
        }
    if options.quality_check:
        fields["qc_details"] = _quality_check(options.quality_check)
    return {name: value for name, value in fields.items() if value}


def _within_a_state(request: ShipmentRequest) -> bool:
    return india.state_name(request.seller.state) == india.state_name(request.consignee.state)


def _gst_parts(request: ShipmentRequest, tax: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Return SGST, CGST and IGST in rupees, which add up to `tax` to the paisa.

    Within a state the tax is half SGST and half CGST, between states it is all IGST.
    """
    zero = Decimal(0)
    if not _within_a_state(request):
        return zero, zero, tax
    half = to_paisa(tax / 2)
    return half, tax - half, zero


def _items(request: ShipmentRequest) -> list[dict[str, Any]]:
    """Return the lines of a shipment of several parcels. Their taxes add up to the shipment's.

    A line's taxes are the differences between the sums up to it and up to the line before: halves
    rounded line by line would miss the shipment's by a paisa a line.
    """
    lines, tax, before = [], Decimal(0), _gst_parts(request, Decimal(0))
    for item in request.items:
        amounts = split_gst(item.value, item.gst_rate)
        tax += amounts.tax
        parts = _gst_parts(request, tax)
        added = [part - earlier for part, earlier in zip(parts, before, strict=True)]
        lines.append(_item(item, amounts.taxable, *added))
        before = parts
    return lines


def _item(
    item: Item, taxable: Decimal, seller_part: Decimal, consignee_part: Decimal, integrated: Decimal
) -> dict[str, Any]:
    """Return one line (schema `package_item`)."""
    line: dict[str, Any] = {
        "product_name": item.name,
        "quantity": item.quantity,
        "sgst_tax_value": float(seller_part),
        "cgst_tax_value": float(consignee_part),
        "igst_tax_value": float(integrated),
    }
    if taxable >= 1:  # the document allows no less
        line["taxable_value"] = float(taxable)
    if item.sku:
        line["sku"] = item.sku
    if item.hsn_code:
        line["hsn_code"] = item.hsn_code
    return line


def _package(package: Package) -> dict[str, Any]:
    # The document requires `packages` here and describes them only for the estimate.
    return {
        "length": package.length_cm,
        "width": package.width_cm,
        "height": package.height_cm,
        "weight": package.weight_g,
        "count": str(package.count),
    }


def _quality_check(quality_check: QualityCheck) -> dict[str, Any]:
    given = {name: value for name, value in quality_check.model_dump().items() if value}
    return {"qc_shipment": True} | given


def pickup_location(pickup: Pickup, *, registered: bool) -> dict[str, Any]:
    """Return a registered address as its alias only, another one in full."""
    return {"name": pickup.reference} if registered else _location(pickup.address)


def _location(address: Address) -> dict[str, Any]:
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
    """Return the body of POST /api/v2/address."""
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
    """Return the body of POST /data/pricing/estimate."""
    return {
        "billingClientType": client_type,
        "shippingDirection": _direction(request),
        "serviceType": service,
        "pickupPincode": int(request.pickup_pincode),
        "dropPincode": int(request.drop_pincode),
        "invoiceAmount": float(to_paisa(request.invoice_amount)),
        "codAmount": float(to_paisa(request.cod_amount)),
        "weight": request.parcel.weight_g,
        "length": request.parcel.length_cm,
        "width": request.parcel.width_cm,
        "height": request.parcel.height_cm,
        "paymentMode": "Pickup" if _is_return(request) else _PAYMENT_MODES[request.payment_mode],
    }


def lane_payload(request: RateRequest, service: str) -> dict[str, Any]:
    """Return the body of POST /data/v3/serviceability, where every value is a string.

    The document does not list `direction`, but the call is refused without it.
    """
    cod = not _is_return(request) and request.payment_mode == PaymentMode.COD
    payload = {
        "direction": _direction(request),
        "pickupPincode": request.pickup_pincode,
        "dropPincode": request.drop_pincode,
        "length": str(request.parcel.length_cm),
        "height": str(request.parcel.height_cm),
        "width": str(request.parcel.width_cm),
        "weight": str(request.parcel.weight_g),
        "paymentType": "COD" if cod else "Prepaid",
        "serviceType": service,
        "invoiceAmount": str(to_paisa(request.invoice_amount)),
    }
    if cod:
        payload["codAmount"] = str(to_paisa(request.cod_amount))
    return payload


def dispatch_payload(tracking_ids: Sequence[str], day: dt.date) -> dict[str, Any]:
    """Return the body of POST /data/shipment/dispatch-date."""
    return {"ids": list(tracking_ids), "dispatchDate": day.isoformat()}


def reattempt_payload(request: ReattemptRequest) -> dict[str, Any]:
    """Return the body of POST /api/v2/package/ndr for another attempt, with the changes for it.

    The date is sent as noon in India, which is the same date in UTC.
    """
    payload: dict[str, Any] = {"action": "Re-Attempt", "wbn": request.tracking_id}
    if request.date is not None:
        noon = dt.datetime.combine(request.date, dt.time(12), india.IST)
        payload["date"] = int(noon.timestamp()) * 1000
    for name in ("phone", "address", "instructions"):
        if value := getattr(request, name):
            payload[name] = value
    return payload


def rto_payload(tracking_id: str, remark: str) -> dict[str, Any]:
    """Return the body of POST /api/v2/package/ndr for a return to origin."""
    payload = {"action": "RTO", "wbn": tracking_id}
    return payload | {"instructions": remark} if remark else payload


def _is_return(request: RateRequest) -> bool:
    return request.direction == Direction.REVERSE


def _direction(request: RateRequest) -> str:
    return "REVERSE" if _is_return(request) else "FORWARD"
