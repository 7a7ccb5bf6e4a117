"""Build the bodies of Ekart's calls from neutral requests that were checked. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from couriers.contract import india
from couriers.contract.actions import ReattemptRequest
from couriers.contract.goods import goods_of
from couriers.contract.money import (
    GstParts,
    amounts_of,
    gst_parts,
    gst_parts_of_lines,
    split_gst,
    to_paisa,
)
from couriers.contract.payloads import given
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    Parcel,
    PaymentMode,
    Pickup,
    RateRequest,
    ShipmentRequest,
)
from couriers_ekart.mapper.options import EkartOptions, Package

_PAYMENT_MODES = {PaymentMode.PREPAID: "Prepaid", PaymentMode.COD: "COD"}


def shipment_payload(request: ShipmentRequest) -> dict[str, Any]:
    """Return the body of PUT /api/v1/package/create.

    The customer is `drop_location` and the seller `pickup_location` in reverse
    shipments, too (the document, under "Reverse Shipments").
    """
    options = EkartOptions.of(request)
    return (
        _order_fields(request)
        | _goods_fields(request.items)
        | _amount_fields(request)
        | _location_fields(request, options)
        | _size_fields(request, options)
        | _option_fields(request, options)
    )


def _order_fields(request: ShipmentRequest) -> dict[str, Any]:
    """Return seller, consignee, order, invoice, payment mode and service."""
    reverse = request.direction == Direction.REVERSE
    return {
        "seller_name": request.seller.name,
        "seller_address": request.seller.address,
        "seller_gst_tin": request.seller.gstin,
        "order_number": request.order_number,
        "invoice_number": request.invoice_number or request.order_number,
        "invoice_date": (request.invoice_date or request.order_date).isoformat(),
        "consignee_name": request.consignee.name,
        "payment_mode": "Pickup" if reverse else _PAYMENT_MODES[request.payment_mode],
        # The document does not list a service for this call: the name is the estimate's.
        **given(
            return_reason=request.return_reason if reverse else "", serviceType=request.service
        ),
    }


def _goods_fields(items: Sequence[Item]) -> dict[str, Any]:
    goods = goods_of(items, max_length=500)
    return {
        "category_of_goods": goods.category or "General",
        "products_desc": goods.description,
        "quantity": goods.quantity,
        **given(hsn_code=goods.hsn_code),
    }


def _amount_fields(request: ShipmentRequest) -> dict[str, Any]:
    amounts = amounts_of(request.items)
    parts = gst_parts(amounts.tax, within_state=_is_within_state(request))
    return {
        "total_amount": float(amounts.total),
        "tax_value": float(amounts.tax),
        "taxable_amount": float(amounts.taxable),
        "commodity_value": str(amounts.taxable),
        "cod_amount": float(request.cod_amount),
        "seller_gst_amount": float(parts.sgst),
        "consignee_gst_amount": float(parts.cgst),
        "integrated_gst_amount": float(parts.igst),
    }


def _location_fields(request: ShipmentRequest, options: EkartOptions) -> dict[str, Any]:
    """Return the places. A registered warehouse is sent as its alias only, another in full."""
    alias = request.pickup.reference
    pickup = {"name": alias} if alias else _location(request.pickup.address)
    drop = _location(request.consignee) | given(location_type=options.location_type)
    return {"drop_location": drop, "pickup_location": pickup, "return_location": pickup}


def _size_fields(request: ShipmentRequest, options: EkartOptions) -> dict[str, Any]:
    """Return the weight in grams, and the sizes in centimetres or the template that has them."""
    if options.template_name:
        return {"weight": request.parcel.weight_g, "templateName": options.template_name}
    return _parcel(request.parcel)


def _option_fields(request: ShipmentRequest, options: EkartOptions) -> dict[str, Any]:
    """Return the options that the merchant gave; the others are left out, not sent empty."""
    # Ekart refuses an alternate phone that equals the phone.
    repeated = options.alternate_phone == request.consignee.phone
    day = options.preferred_dispatch_date
    fields = given(
        consignee_alternate_phone="" if repeated else options.alternate_phone,
        preferred_dispatch_date=day.isoformat() if day else "",
        delayed_dispatch=options.delayed_dispatch,
        obd_shipment=options.open_box_delivery,
        ewbn=options.ewaybill_number,
        what3words_address=options.what3words,
        consignee_gst_tin=options.consignee_gstin,
    )
    if options.packages:
        # The document requires `packages` here and describes them only for the estimate.
        packages = [_parcel(one) | {"count": str(one.count)} for one in options.packages]
        fields |= {"mps": True, "items": _items(request), "packages": packages}
    if options.quality_check:
        check = given(**options.quality_check.model_dump())
        fields["qc_details"] = {"qc_shipment": True} | check
    return fields


def _is_within_state(request: ShipmentRequest) -> bool:
    return india.state_name(request.seller.state) == india.state_name(request.consignee.state)


def _items(request: ShipmentRequest) -> list[dict[str, Any]]:
    """Return the lines of a shipment of several parcels. Their taxes add up to the shipment's."""
    parts = gst_parts_of_lines(request.items, within_state=_is_within_state(request))
    return [_item(item, taxes) for item, taxes in zip(request.items, parts, strict=True)]


def _item(item: Item, taxes: GstParts) -> dict[str, Any]:
    """Return one line (schema `package_item`)."""
    taxable = split_gst(item.value, item.gst_rate).taxable
    return {
        "product_name": item.name,
        "quantity": item.quantity,
        "sgst_tax_value": float(taxes.sgst),
        "cgst_tax_value": float(taxes.cgst),
        "igst_tax_value": float(taxes.igst),
        **given(
            taxable_value=float(taxable) if taxable >= 1 else 0,  # the document allows no less
            sku=item.sku,
            hsn_code=item.hsn_code,
        ),
    }


def _parcel(parcel: Parcel | Package) -> dict[str, Any]:
    return {
        "length": parcel.length_cm,
        "width": parcel.width_cm,
        "height": parcel.height_cm,
        "weight": parcel.weight_g,
    }


def _location(address: Address) -> dict[str, Any]:
    return {
        "name": address.name,
        "phone": int(address.phone),
        "address": address.street,
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
        **_parcel(request.parcel),
        "paymentMode": "Pickup" if _is_return(request) else _PAYMENT_MODES[request.payment_mode],
    }


def lane_payload(request: RateRequest, service: str) -> dict[str, Any]:
    """Return the body of POST /data/v3/serviceability, where every value is a string.

    The document does not list `direction`, but the call is refused without it.
    """
    cod = not _is_return(request) and request.payment_mode == PaymentMode.COD
    return {
        "direction": _direction(request),
        "pickupPincode": request.pickup_pincode,
        "dropPincode": request.drop_pincode,
        **{name: str(value) for name, value in _parcel(request.parcel).items()},
        "paymentType": "COD" if cod else "Prepaid",
        "serviceType": service,
        "invoiceAmount": str(to_paisa(request.invoice_amount)),
        **given(codAmount=str(to_paisa(request.cod_amount)) if cod else ""),
    }


def reattempt_payload(request: ReattemptRequest) -> dict[str, Any]:
    """Return the body of POST /api/v2/package/ndr for another attempt, with the changes for it.

    The date is sent as noon in India, which is the same date in UTC.
    """
    payload: dict[str, Any] = {"action": "Re-Attempt", "wbn": request.tracking_id}
    if request.date is not None:
        noon = dt.datetime.combine(request.date, dt.time(12), india.IST)
        payload["date"] = int(noon.timestamp()) * 1000
    return payload | given(
        phone=request.phone, address=request.address, instructions=request.instructions
    )


def rto_payload(tracking_id: str, remark: str) -> dict[str, Any]:
    """Return the body of POST /api/v2/package/ndr for a return to origin."""
    return {"action": "RTO", "wbn": tracking_id} | given(instructions=remark)


def _is_return(request: RateRequest) -> bool:
    return request.direction == Direction.REVERSE


def _direction(request: RateRequest) -> str:
    return "REVERSE" if _is_return(request) else "FORWARD"
