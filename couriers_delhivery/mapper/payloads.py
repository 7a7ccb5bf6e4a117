"""Build what is sent to Delhivery from checked requests, in grams, centimetres and rupees. Pure."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from couriers.contract import types
from couriers.contract.goods import goods_of
from couriers.contract.money import amounts_of, equal_shares, to_paisa
from couriers.contract.options import Box
from couriers.contract.payloads import given
from couriers.contract.text import without_characters
from couriers.contract.types import Direction, PaymentMode
from couriers_delhivery.mapper.options import UNWANTED, DelhiveryOptions

MAX_DESCRIPTION = 200  # characters
plain = partial(without_characters, unwanted=UNWANTED)


def create_form(request: types.ShipmentRequest, numbers: Sequence[str]) -> dict[str, Any]:
    """Return the form of POST /api/cmu/create.json.

    `numbers` are the waybills of the boxes, the first one the shipment's; without any Delhivery
    gives one. `pickup_location` stands beside the shipments, and its name counts by every letter.
    """
    options = DelhiveryOptions.of(request)
    boxes: Sequence[types.Parcel | Box] = options.boxes or [request.parcel]
    common = _order_fields(request, options) | _place(request.consignee)
    if len(boxes) > 1:
        common |= {"shipment_type": "MPS", "master_id": numbers[0], "mps_children": len(boxes)}
        common["mps_amount"] = float(request.cod_amount)
    totals = equal_shares(amounts_of(request.items).total, len(boxes))
    cash = equal_shares(request.cod_amount, len(boxes))
    shipments = [
        common | _size(box) | {"total_amount": float(total)} | given(cod_amount=float(collected))
        for box, total, collected in zip(boxes, totals, cash, strict=True)
    ]
    for shipment, number in zip(shipments, numbers, strict=False):
        shipment["waybill"] = number
    data = {"shipments": shipments, "pickup_location": {"name": request.pickup.reference}}
    return {"format": "json", "data": data}


def _order_fields(request: types.ShipmentRequest, options: DelhiveryOptions) -> dict[str, Any]:
    """Return what all boxes have in common, without the customer. A return goes to `return_…`."""
    goods, seller = goods_of(request.items, max_length=MAX_DESCRIPTION), request.seller
    is_return = request.direction == Direction.REVERSE
    others = options.model_dump(exclude={"packages", "quality_check", "ewaybill_number"})
    reason = plain(request.return_reason)
    checks = [given(**one.model_dump(), return_reason=reason) for one in options.quality_check]
    return {
        "order": request.order_number,
        "order_date": request.order_date.isoformat(),
        "payment_mode": "Pickup" if is_return else _payment_mode(request, "Prepaid"),
        "products_desc": plain(goods.description),
        "quantity": goods.quantity,
        **(_place(request.pickup.address, "return_") if is_return else {}),
        **given(
            hsn_code=goods.hsn_code, shipping_mode=request.service, ewbn=options.ewaybill_number,
            seller_name=plain(seller.name), seller_add=plain(seller.address),
            seller_gst_tin=seller.gstin, seller_inv=plain(request.invoice_number),
            qc_type="param" if checks else "", custom_qc=checks, **others,
        ),
    }  # fmt: skip


def _place(address: types.Address, prefix: str = "") -> dict[str, Any]:
    """Return the customer, or where a return travels to: the same fields with a prefix."""
    fields = {
        "name": plain(address.name), "phone": address.phone, "add": plain(address.street),
        "city": plain(address.city), "state": plain(address.state), "country": "India",
        "pin": address.pincode,
    }  # fmt: skip
    return {prefix + name: value for name, value in fields.items()}


def _size(parcel: types.Parcel | Box) -> dict[str, int]:
    sizes = {"length": parcel.length_cm, "width": parcel.width_cm, "height": parcel.height_cm}
    return {f"shipment_{name}": cm for name, cm in sizes.items()} | {"weight": parcel.weight_g}


def warehouse_payload(pickup: types.Pickup, name: str) -> dict[str, str]:
    """Return the body of POST /api/backend/clientwarehouse/create/, where all values are texts."""
    own = _place(pickup.address)
    street, registered_name = own.pop("add"), own["name"]
    back = {f"return_{part}": own[part] for part in ("city", "state", "country", "pin")}
    own |= {"name": name, "registered_name": registered_name, "address": street}
    email = pickup.email or pickup.address.email
    return own | back | {"return_address": street} | given(email=email)


def charges_params(request: types.RateRequest, service: str) -> dict[str, str]:
    """Return the query of GET /api/kinko/v1/invoice/charges/.json. Without `pt` it answers 0."""
    is_return = request.direction == Direction.REVERSE
    pt = "Pre-paid" if is_return else _payment_mode(request, "Pre-paid")
    parcel = request.parcel
    return {
        "md": service[0], "ss": "DTO" if is_return else "Delivered", "pt": pt,
        "o_pin": request.pickup_pincode, "d_pin": request.drop_pincode, "cgm": str(parcel.weight_g),
        "l": str(parcel.length_cm), "b": str(parcel.width_cm), "h": str(parcel.height_cm),
        **({"cod": str(to_paisa(request.cod_amount))} if pt == "COD" else {}),
    }  # fmt: skip


def _payment_mode(request: types.ShipmentRequest | types.RateRequest, prepaid: str) -> str:
    return "COD" if request.payment_mode == PaymentMode.COD else prepaid
