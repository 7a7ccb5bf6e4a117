"""The payloads of the calls that make orders. Money is text there, flags are 0 and 1. Pure."""

from __future__ import annotations

from typing import Any

from sandbox.velocity.answers import zoned
from sandbox.velocity.shipments import VelocityShipment


def forward_payload(order: VelocityShipment) -> dict[str, Any]:
    """The answer about a forward order, with or without an AWB: then it has no `awb_code`."""
    body = order.body
    common = {
        "pickup_location_added": 1,
        "order_created": 1,
        "awb_generated": int(order.carrier is not None),
        "pickup_generated": int(order.carrier is not None),
        "shipment_id": order.shipment_id,
        "order_id": order.order_id,
        "assigned_date_time": _assigned(order),
        "applied_weight": None,
        "cod": int(body["payment_method"] == "COD"),
        "label_url": order.label_url or None,
        "manifest_url": None,
        "routing_code": None,
        "rto_routing_code": None,
        "pickup_token_number": None,
    }
    if order.carrier is None:
        return common
    prices = order.prices
    return common | {
        "label_generated": int(bool(order.label_url)),
        "manifest_generated": 0,
        "pickup_scheduled_date": None,
        "pickup_booked_date": None,
        "awb_code": order.tracking_id,
        "courier_company_id": order.carrier.id,
        "courier_name": order.carrier.name,
        "applied_weight": _kilograms(order),
        "charges": {
            "frwd_charges": {
                "shipping_charges": _rupees(prices["shipping"]),
                "cod_charges": _rupees(prices["cod"]),
                "dead_weight_billing": _is_billed_by_weight(order),
            },
            "rto_charges": {"rto_charges": _rupees(prices["rto"])},
        },
    }


def return_payload(order: VelocityShipment) -> dict[str, Any]:
    """The answer about a return, with or without an AWB. It has no label."""
    common = {
        "order_created": 1,
        "awb_generated": int(order.carrier is not None),
        "pickup_generated": int(order.carrier is not None),
        "pickup_scheduled_date": None,
        "order_id": order.order_id,
        "return_id": order.return_id,
        "assigned_date_time": _assigned(order),
        "cod": 0,
    }
    if order.carrier is None:
        return common
    return common | {
        "shipment_id": order.shipment_id,
        "awb_code": order.tracking_id,
        "courier_company_id": order.carrier.id,
        "courier_name": order.carrier.name,
        "applied_weight": _kilograms(order),
        "is_return": 1,
        "routing_code": None,
        "rto_routing_code": None,
        "pickup_token_number": None,
        "charges": {
            "reverse_charges": _rupees(order.prices["reverse"]),
            "qc": _rupees(order.prices["qc"]),
            "qc_leeway": "0.00",
            "dead_weight_billing": _is_billed_by_weight(order),
        },
    }


def exchange_payload(forward: VelocityShipment, back: VelocityShipment) -> dict[str, Any]:
    """The answer about an exchange: `awb_generated` counts the AWBs, `awb_code` is the return's."""
    legs = {"forward": _leg(forward), "reverse": _leg(back)}
    return {
        "pickup_location_added": 1,
        "order_created": 1,
        "return_created": 1,
        "awb_generated": sum(leg["awb"] is not None for leg in legs.values()),
        "label_generated": int(bool(forward.label_url)),
        "pickup_generated": int(back.carrier is not None),
        "manifest_generated": 0,
        "order_id": forward.order_id,
        "return_id": back.return_id,
        "shipment_id": forward.shipment_id,
        "forward_shipment_id": forward.shipment_id,
        "return_shipment_id": back.shipment_id,
        "forward_awb": legs["forward"]["awb"],
        "forward_awb_code": legs["forward"]["awb"],
        "reverse_awb": legs["reverse"]["awb"],
        "awb_code": legs["reverse"]["awb"],
        "label_url": forward.label_url or None,
        "forward_shipment_label": forward.label_url or None,
        "reverse_shipment_label": back.label_url or None,
        "courier_name": legs["forward"]["courier_name"],
        "forward_courier_name": legs["forward"]["courier_name"],
        "reverse_courier_name": legs["reverse"]["courier_name"],
        "applied_weight": legs["forward"]["applied_weight"],
        "cod": int(forward.body["payment_method"] == "COD"),
        "is_exchange": 1,
        "forward_shipment_details": legs["forward"],
        "return_shipment": legs["reverse"],
        "charges": {
            "total": forward.prices.get("total", 0.0) + back.prices.get("total", 0.0),
            "forward": {
                "forward_charges": forward.prices.get("shipping", 0.0),
                "forward_cod_charges": forward.prices.get("cod", 0.0),
                "forward_rto_charges": forward.prices.get("rto", 0.0),
            },
            "reverse": {
                "return_pickup_charges": back.prices.get("reverse", 0.0),
                "qc_charges": back.prices.get("qc", 0.0),
                "exchange_charges": 0,
            },
        },
    }


def _leg(order: VelocityShipment) -> dict[str, Any]:
    return {
        "shipment_id": order.shipment_id,
        "awb": order.tracking_id or None,
        "label_url": order.label_url or None,
        "courier_name": order.carrier.name if order.carrier else None,
        "applied_weight": _kilograms(order),
        "status": order.status,
    }


def _assigned(order: VelocityShipment) -> dict[str, Any]:
    return {"date": zoned(order.made_ms), "timezone_type": 3, "timezone": "Asia/Kolkata"}


def _kilograms(order: VelocityShipment) -> float:
    return round(order.parcel.applied_grams / 1000, 3)


def _is_billed_by_weight(order: VelocityShipment) -> bool:
    return order.parcel.grams >= order.parcel.volumetric_grams


def _rupees(amount: float) -> str:
    return f"{amount:.2f}"
