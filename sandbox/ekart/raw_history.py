"""The network's own history of a shipment, in its two shapes (/data/v1/elite/track). Pure.

Statuses are in snake case, numbers are texts, and the latest event comes first. In the shape for
large goods flags are texts too, times have no zone, and each package is a shipment of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from sandbox.ekart.shipments import EkartShipment
from sandbox.india import INDIA
from sandbox.ledger import Step

# The network's statuses that are not Ekart's in snake case.
NETWORK_STATUSES = {"Picked Up": "pickup_complete", "Seller RTO Requested": "rto_requested"}


def non_large(shipment: EkartShipment) -> dict[str, Any]:
    """The history of a parcel up to 20 kg."""
    body = shipment.body
    drop = body["drop_location"]
    hub = _hub(shipment)
    delivered = shipment.status == "Delivered"
    receiver = {
        "name": drop["name"],
        "releation": "Self",
        "relation": "Self",
        "phone_number": shipment.phone,
    }
    return {
        **_common(shipment, shipment.wbn, shipment.package_weights[0]),
        "shipment_type": body["payment_mode"],
        "delivery_type": "small",
        "delivered": delivered,
        "history": [_event(step, drop["city"]) for step in reversed(shipment.steps)],
        **({"receiver": receiver} if delivered else {}),
        "current_hub": hub,
        "assigned_hub": hub,
        "sender": {**_sender(shipment), "phone": None, "email": None, "name": body["seller_name"]},
        "customer": {
            "city": drop["city"],
            "country": drop["country"],
            "pincode": str(drop["pin"]),
            "address1": shipment.address,
            "address2": "null",
            "name": drop["name"],
            "state": drop["state"],
            "phone": shipment.phone,
            "email": None,
        },
        "items": [
            {
                "order_id": shipment.order_number,
                "item_type": body["category_of_goods"],
                "item_price": body["total_amount"],
                "item_description": body["products_desc"],
            }
        ],
        "mh_inscanned": shipment.picked_up_ms is not None,
        "rto_detail": None,
        "slotted_delivery": False,
        "rto": _is_rto(shipment),
        "shipment_notes": [_note(shipment)],
        "shipment_tickets": None,
    }


def large(shipment: EkartShipment) -> dict[str, Any]:
    """The history of a shipment over 20 kg, or with several packages."""
    return {
        "is_mps": _text(shipment.has_several_packages),
        "status": shipment.status,
        "shipments": [
            _large_package(shipment, number, grams)
            for number, grams in enumerate(shipment.package_weights, start=1)
        ],
    }


def _large_package(shipment: EkartShipment, number: int, grams: float) -> dict[str, Any]:
    city = shipment.body["drop_location"]["city"]
    name = f"{shipment.wbn}-{number}" if shipment.has_several_packages else shipment.wbn
    return {
        **_common(shipment, name, grams),
        "shipment_type": "reverse" if shipment.reverse else "forward",
        "delivery_type": "large",
        "delivered": _text(shipment.status == "Delivered"),
        "history": [_large_event(step, city) for step in reversed(shipment.steps)],
        "sender": {**_sender(shipment), "phone": "", "email": ""},
        "mh_inscanned": _text(shipment.picked_up_ms is not None),
        "rto": _text(_is_rto(shipment)),
    }


def _common(shipment: EkartShipment, shipment_id: str, grams: float) -> dict[str, Any]:
    expected = _moment(shipment.expected_ms or shipment.steps[0].time_ms)
    return {
        "cod_amount": str(float(shipment.body["cod_amount"])),
        "shipment_id": shipment_id,
        "shipment_value": str(float(shipment.body["total_amount"])),
        "order_id": shipment.order_number,
        "external_tracking_id": shipment.wbn,
        "weight": str(grams),
        "merchant_name": shipment.body["seller_name"],
        "vendor": "E-Kart Logistics",
        "expected_delivery_date": f"{expected:%Y-%m-%d} 23:59:59",
    }


def _event(step: Step, city: str) -> dict[str, Any]:
    moment = _moment(step.time_ms)
    place = step.location or city
    return {
        "city": place,
        "status": _network_status(step),
        "hub_notes": step.ndr_reason,
        "cs_notes": "",
        "event_date": f"{moment:%Y-%m-%dT%H:%M:%S%z}",
        "event_date_iso8601": moment.isoformat(timespec="milliseconds"),
        "hub_name": f"{place}Hub",
        "updated_datetime": f"{moment:%Y-%m-%dT%H:%M:%S%z}",
        "public_description": step.description,
    }


def _large_event(step: Step, city: str) -> dict[str, Any]:
    moment = _moment(step.time_ms)
    place = step.location or city
    return {
        "status": _network_status(step),
        "event_date": f"{moment:%Y-%m-%d %H:%M:%S}",
        "event_date_iso8601": moment.isoformat(timespec="milliseconds"),
        "hub_name": f"{place}Hub",
        "description": step.description,
        "city": place,
    }


def _sender(shipment: EkartShipment) -> dict[str, Any]:
    """Where it was picked up; only the alias is known of a registered address."""
    pickup = shipment.body.get("pickup_location") or {}
    return {
        "city": pickup.get("city") or "",
        "state": pickup.get("state") or "",
        "pincode": str(pickup.get("pin", "")),
        "address1": pickup.get("address", pickup.get("name", "")),
        "address2": "null",
    }


def _hub(shipment: EkartShipment) -> dict[str, Any]:
    drop = shipment.body["drop_location"]
    city = shipment.steps[-1].location or drop["city"]
    return {
        "name": f"{city}Hub",
        "address1": f"{city} hub",
        "address2": "null",
        "city": city,
        "state": drop["state"],
        "country": "India",
        "pincode": str(drop["pin"]),
        "zone": "National",
        "description": None,
        "display_name": f"{city}Hub",
        "coc_code": "SB/SB",
    }


def _note(shipment: EkartShipment) -> dict[str, Any]:
    created_at = _moment(shipment.steps[0].time_ms).isoformat(timespec="seconds")
    number = int.from_bytes(hashlib.sha256(shipment.wbn.encode()).digest()[:4], "big")
    return {
        "created_at": created_at,
        "id": number,
        "note": "AUTO-API-CALL",
        "note_type": "vendor",
        "shipment_id": number,
        "shipment_status_history_id": number,
        "updated_at": created_at,
    }


def _network_status(step: Step) -> str:
    return NETWORK_STATUSES.get(step.status, step.status.lower().replace(" ", "_"))


def _is_rto(shipment: EkartShipment) -> bool:
    return any("RTO" in step.status for step in shipment.steps)


def _moment(milliseconds: int) -> dt.datetime:
    """A time in India, made from whole numbers so that no millisecond is lost to rounding."""
    return dt.datetime.fromtimestamp(milliseconds // 1000, INDIA).replace(
        microsecond=milliseconds % 1000 * 1000
    )


def _text(yes: bool) -> str:
    return str(yes).lower()
