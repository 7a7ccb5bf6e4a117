"""Build the bodies of Velocity's calls from neutral requests that were checked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from couriers.contract import types
from couriers.contract.actions import ReattemptRequest
from couriers.contract.money import amounts_of, to_paisa, unit_prices
from couriers.contract.payloads import given
from couriers_velocity.mapper.options import VelocityOptions

PER_PAGE = 20  # rows of a search


def shipment_payload(request: types.ShipmentRequest) -> dict[str, Any]:
    """Return the body of POST /forward-order-orchestration, which books and charges the wallet."""
    options = VelocityOptions.of(request)
    is_cod = request.payment_mode == types.PaymentMode.COD
    return {
        **_order(request),
        **_place("billing", request.consignee),
        "shipping_is_billing": True,
        "print_label": True,
        "payment_method": "COD" if is_cod else "PREPAID",
        "cod_collectible": float(to_paisa(request.cod_amount)) if is_cod else 0,
        "order_items": list(_items(request.items)),
        "pickup_location": _reference_parts(request.pickup.reference)[1],
        **given(rto_warehouse_id=options.rto_warehouse_id),
    }


def return_payload(request: types.ShipmentRequest) -> dict[str, Any]:
    """Return the body of POST /reverse-order-orchestration, from the customer to the warehouse."""
    options = VelocityOptions.of(request)
    check: dict[str, Any] = {}
    if asked := options.quality_check:
        check = {"qc_enable": True, "qc_product_name": asked.product_name}
        check |= given(qc_product_image=asked.product_image, qc_brand=asked.brand)
    return {
        **_order(request),
        **_place("pickup", request.consignee),
        **_place("shipping", request.pickup.address),
        "payment_method": "PREPAID",
        "order_items": [item | check for item in _items(request.items)],
        "request_pickup": True,
    }


def _order(request: types.ShipmentRequest) -> dict[str, Any]:
    """Return what a shipment and a return have in common; the weight is in kilograms."""
    return {
        "order_id": request.order_number,
        "order_date": f"{request.order_date.isoformat()} 00:00",
        "sub_total": float(amounts_of(request.items).total),
        "weight": request.parcel.weight_g / 1000,
        "length": request.parcel.length_cm,
        "breadth": request.parcel.width_cm,
        "height": request.parcel.height_cm,
        "warehouse_id": _reference_parts(request.pickup.reference)[0],
        **given(carrier_id=request.service),
    }


def _place(prefix: str, address: types.Address) -> dict[str, Any]:
    place = {
        "customer_name": address.name, "address": address.street, "city": address.city,
        "state": address.state, "country": "India", "pincode": address.pincode,
        "phone": address.phone, **given(email=address.email),
    }  # fmt: skip
    return {f"{prefix}_{name}": value for name, value in place.items()}


def _items(items: Sequence[types.Item]) -> Iterator[dict[str, Any]]:
    """Yield each line, or two of them where its value cannot be divided by its units.

    `tax` is left out: the documents do not agree whether it is a percentage.
    """
    for item in items:
        for units, price in unit_prices(to_paisa(item.value), item.quantity):
            named = {"name": item.name, "sku": item.sku or item.name}
            yield named | {"units": units, "selling_price": float(price)}


def warehouse_payload(pickup: types.Pickup) -> dict[str, Any]:
    """Return the body of POST /warehouse. The name tells addresses apart."""
    address = pickup.address
    place = {"street_address": address.street, "zip": address.pincode, "city": address.city}
    return {
        "name": pickup.new_reference(),
        "phone_number": address.phone,
        "email": pickup.email,
        "contact_person": address.name,
        "address_attributes": place | {"state": address.state, "country": "India"},
    }


def _reference_parts(reference: str) -> tuple[str, str]:
    """Return the warehouse's id and its name: bookings want both."""
    number, _, name = reference.partition("/")
    return number.strip(), name.strip()


def search_payload(order_number: str) -> dict[str, Any]:
    """Return the body of POST /shipments and /returns. A page must not be named: it fails."""
    return {"search": order_number, "per_page": PER_PAGE}


def rates_payload(request: types.RateRequest) -> dict[str, Any]:
    """Return the body of POST /rates. The weight is in grams here."""
    asked: dict[str, Any] = {"journey_type": "return", "qc_applicable": False}
    if request.direction == types.Direction.FORWARD:
        asked = {"journey_type": "forward", "payment_method": request.payment_mode.value}
        if request.payment_mode == types.PaymentMode.COD:
            asked["shipment_value"] = float(to_paisa(request.invoice_amount))
    return asked | {
        "origin_pincode": request.pickup_pincode,
        "destination_pincode": request.drop_pincode,
        "dead_weight": request.parcel.weight_g,
        "length": request.parcel.length_cm,
        "width": request.parcel.width_cm,
        "height": request.parcel.height_cm,
    }


def lane_payloads(origin: str, pincode: str) -> list[dict[str, Any]]:
    """Return the bodies of POST /serviceability: of prepaid and cash shipments, and of returns."""
    there, back = {"from": origin, "to": pincode}, {"from": pincode, "to": origin}
    return [
        there | {"payment_mode": "prepaid", "shipment_type": "forward"},
        there | {"payment_mode": "cod", "shipment_type": "forward"},
        back | {"payment_mode": "prepaid", "shipment_type": "return"},
    ]


def reattempt_payload(request: ReattemptRequest) -> dict[str, Any]:
    """Return the body of POST /reattempt, with the changes for the next attempt."""
    return {"awb": request.tracking_id} | given(
        updated_address={"address_line": request.address} if request.address else None,
        updated_phone_number=f"+91{request.phone}" if request.phone else "",
        comments=request.instructions,
    )
