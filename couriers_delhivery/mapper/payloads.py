"""Build what is sent to Delhivery from neutral requests that were checked. Pure.

Weights are grams, sizes centimetres, amounts rupees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from couriers.contract.goods import goods_of
from couriers.contract.money import amounts_of, to_paisa
from couriers.contract.options import parse_options
from couriers.contract.types import (
    Address,
    Direction,
    Parcel,
    PaymentMode,
    Pickup,
    RateRequest,
    ShipmentRequest,
)
from couriers_delhivery.mapper.options import DelhiveryOptions, Package

MAX_DESCRIPTION = 200  # characters
# They break the vendor's own way of sending, and it wants them left out of values.
_UNWANTED = str.maketrans(dict.fromkeys("&#%;\\", " "))
_FLAGS = ("fragile_shipment", "dangerous_good", "plastic_packaging")


def create_form(request: ShipmentRequest, numbers: Sequence[str]) -> dict[str, Any]:
    """Return the form of POST /api/cmu/create.json.

    `numbers` are the waybills of the boxes, the first one the shipment's; none leaves the choice to
    Delhivery. `pickup_location` stands beside the shipments, and its name counts by every letter.
    """
    options, _ = parse_options(DelhiveryOptions, request.options)
    common = {
        **_order_fields(request),
        **_consignee_fields(request.consignee),
        **_goods_fields(request, options),
        **_option_fields(options),
    }
    boxes: Sequence[Parcel | Package] = options.boxes()
    if len(boxes) < 2:
        amounts = _amounts(request, 1)[0]
        own = {"waybill": numbers[0]} if numbers else {}
        shipments = [common | own | amounts | _size(boxes[0] if boxes else request.parcel)]
    else:
        group = {
            "shipment_type": "MPS",
            "master_id": numbers[0],
            "mps_children": len(boxes),
            "mps_amount": float(request.cod_amount),
        }
        shipments = [
            common | group | {"waybill": number} | amounts | _size(box)
            for number, amounts, box in zip(
                numbers, _amounts(request, len(boxes)), boxes, strict=True
            )
        ]
    data = {"shipments": shipments, "pickup_location": {"name": request.pickup.reference}}
    return {"format": "json", "data": data}


def box_count(request: ShipmentRequest) -> int:
    """Return how many boxes the request has."""
    options, _ = parse_options(DelhiveryOptions, request.options)
    return max(1, len(options.boxes()))


def _order_fields(request: ShipmentRequest) -> dict[str, Any]:
    return {
        "order": request.order_number,
        "order_date": request.order_date.isoformat(),
        "payment_mode": _payment_mode(request),
        **_given(
            shipping_mode=request.service,
            seller_name=plain(request.seller.name),
            seller_add=plain(request.seller.address),
            seller_gst_tin=request.seller.gstin,
            seller_inv=plain(request.invoice_number),
        ),
        **(_return_fields(request.pickup) if _is_reverse(request) else {}),
    }


def _consignee_fields(consignee: Address) -> dict[str, Any]:
    """Return the customer: in both directions."""
    return {
        "name": plain(consignee.name),
        "phone": consignee.phone,
        "add": plain(consignee.street),
        "city": plain(consignee.city),
        "state": plain(consignee.state),
        "country": "India",
        "pin": consignee.pincode,
    }


def _return_fields(pickup: Pickup) -> dict[str, Any]:
    """Return where a return travels to."""
    address = pickup.address
    return {
        "return_name": plain(address.name),
        "return_add": plain(address.street),
        "return_city": plain(address.city),
        "return_state": plain(address.state),
        "return_country": "India",
        "return_pin": address.pincode,
        "return_phone": address.phone,
    }


def _goods_fields(request: ShipmentRequest, options: DelhiveryOptions) -> dict[str, Any]:
    goods = goods_of(request.items, max_length=MAX_DESCRIPTION)
    fields = {"products_desc": plain(goods.description), "quantity": goods.quantity}
    if options.quality_check:
        fields["qc_type"] = "param"
        fields["custom_qc"] = [
            _given(**one.model_dump(), return_reason=plain(request.return_reason))
            for one in options.quality_check
        ]
    return fields | _given(hsn_code=goods.hsn_code)


def _option_fields(options: DelhiveryOptions) -> dict[str, Any]:
    flags = {name: getattr(options, name) for name in _FLAGS}
    return _given(
        ewbn=options.ewaybill_number,
        transport_speed=options.transport_speed,
        address_type=options.address_type,
        **flags,
    )


def _amounts(request: ShipmentRequest, boxes: int) -> list[dict[str, Any]]:
    """Return the invoice's amount and the cash of each box, which add up to the order's."""
    totals = _shares(amounts_of(request.items).total, boxes)
    cash = _shares(request.cod_amount, boxes)
    return [
        {"total_amount": float(total), **_given(cod_amount=float(collected))}
        for total, collected in zip(totals, cash, strict=True)
    ]


def _shares(amount: Decimal, boxes: int) -> list[Decimal]:
    share = to_paisa(amount / boxes)
    return [amount - share * (boxes - 1), *[share] * (boxes - 1)]


def _size(parcel: Parcel | Package) -> dict[str, Any]:
    return {
        "weight": parcel.weight_g,
        "shipment_length": parcel.length_cm,
        "shipment_width": parcel.width_cm,
        "shipment_height": parcel.height_cm,
    }


def warehouse_payload(pickup: Pickup, name: str) -> dict[str, Any]:
    """Return the body of POST /api/backend/clientwarehouse/create/, where all values are texts."""
    address = pickup.address
    return {
        "name": name,
        "registered_name": plain(address.name),
        "phone": address.phone,
        "address": plain(address.street),
        "city": plain(address.city),
        "country": "India",
        "pin": address.pincode,
        "return_address": plain(address.street),
        "return_city": plain(address.city),
        "return_state": plain(address.state),
        "return_country": "India",
        "return_pin": address.pincode,
        **_given(email=pickup.email or address.email),
    }


def charges_params(request: RateRequest, service: str) -> Mapping[str, str]:
    """Return the query of GET /api/kinko/v1/invoice/charges/.json. Without `pt` it answers 0."""
    is_return = request.direction == Direction.REVERSE
    is_cod = request.payment_mode == PaymentMode.COD and not is_return
    parcel = request.parcel
    return {
        "md": service[0],
        "ss": "DTO" if is_return else "Delivered",
        "o_pin": request.pickup_pincode,
        "d_pin": request.drop_pincode,
        "cgm": str(parcel.weight_g),
        "l": str(parcel.length_cm),
        "b": str(parcel.width_cm),
        "h": str(parcel.height_cm),
        "pt": "COD" if is_cod else "Pre-paid",
        **({"cod": str(to_paisa(request.cod_amount))} if is_cod else {}),
    }


def plain(text: str) -> str:
    """Return the text without the characters that Delhivery wants left out: blanks instead."""
    return " ".join(text.translate(_UNWANTED).split())


def _payment_mode(request: ShipmentRequest) -> str:
    if _is_reverse(request):
        return "Pickup"
    return "COD" if request.payment_mode == PaymentMode.COD else "Prepaid"


def _is_reverse(request: ShipmentRequest) -> bool:
    return request.direction == Direction.REVERSE


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value: the others are left out, not sent empty."""
    return {name: value for name, value in fields.items() if value}
