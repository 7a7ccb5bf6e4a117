"""A shipment as tracking shows it. Pure."""

from __future__ import annotations

from typing import Any

from sandbox.delhivery.pincodes import Pincode
from sandbox.delhivery.shipments import DelhiveryShipment
from sandbox.delhivery.statuses import Status
from sandbox.delhivery.times import stamp, whole_stamp
from sandbox.ledger import Step

TRAVEL_MS = 4 * 86_400_000  # from the booking to the promised delivery


def shipment(one: DelhiveryShipment, verbose: int, spelling: str) -> dict[str, Any]:
    """The shipment; 1 adds its scans to it, 2 its consignee too. `spelling` is of its statuses."""
    latest, promised = one.steps[-1], whole_stamp(one.steps[0].time_ms + TRAVEL_MS)
    delivered = _time(one.first("DL/Delivered", "DL/DTO"))
    shown: dict[str, Any] = {
        "AWB": one.tracking_id,
        "ReferenceNo": one.order_number,
        "Status": _status(one, latest, spelling),
        "OrderType": one.mode,
        "ExpectedDeliveryDate": promised,
        "PromisedDeliveryDate": promised,
        "PickUpDate": stamp(one.steps[0].time_ms),
        "PickedupDate": _time(one.first("UD/In Transit", "PU/In Transit")),
        "FirstAttemptDate": _time(one.first("UD/Dispatched")),
        "DeliveryDate": delivered,
        "RTOStartedDate": _time(one.first("RT/")),
        "ReturnedDate": _time(one.first("DL/RTO")),
        "ReturnPromisedDeliveryDate": None,
        "DispatchCount": one.attempts,
        "ReverseInTransit": one.now.type in ("RT", "PU"),
        "InvoiceAmount": one.total_amount,
        "CODAmount": one.cod_amount,
        "Quantity": str(one.body.get("quantity") or "1"),
        "PickupLocation": one.warehouse,
        "SenderName": one.client,
        "ChargedWeight": None if one.now.word == "Manifested" else one.body.get("weight"),
        "Ewaybill": list(one.e_way_bills),
        "Origin": one.warehouse,
        "OriginRecieveDate": _time(one.first("UD/In Transit")),
        "Destination": Pincode(str(one.body["pin"])).place[0],
        "DestRecieveDate": _time(one.first("UD/Pending")),
        "OutDestinationDate": None,
        "Extras": "",
    }
    if verbose >= 1:
        shown["Scans"] = [{"ScanDetail": _scan(step, spelling)} for step in one.steps]
    if verbose >= 2:
        shown["Consignee"] = _consignee(one)
    return shown


def _status(one: DelhiveryShipment, step: Step, spelling: str) -> dict[str, Any]:
    """The present status; its code is the NSL."""
    now = Status.parse(step.status)
    return {
        "Status": now.spelt(spelling),
        "StatusType": now.type,
        "StatusCode": now.code,
        "StatusDateTime": stamp(step.time_ms),
        "StatusLocation": step.location,
        "Instructions": step.description,
        "RecievedBy": one.body.get("name", "") if now.word == "Delivered" else "",
    }


def _scan(step: Step, spelling: str) -> dict[str, Any]:
    now = Status.parse(step.status)
    return {
        "ScanDateTime": stamp(step.time_ms),
        "ScanType": now.type,
        "Scan": now.spelt(spelling),
        "StatusCode": now.code,
        "StatusDateTime": stamp(step.time_ms),
        "ScannedLocation": step.location,
        "Instructions": step.description,
        **({"call_duration": 14} if now.code == "ST-114" else {}),
    }


def _consignee(one: DelhiveryShipment) -> dict[str, Any]:
    city, state = Pincode(str(one.body["pin"])).place
    return {
        "Name": one.changes.get("name") or one.body["name"],
        "PinCode": int(one.body["pin"]),
        "City": city,
        "State": state,
        "Country": "India",
        "Address1": [],
        "Address2": [],
        "Address3": "",
        "Telephone1": "",
        "Telephone2": "",
    }


def _time(step: Step | None) -> str | None:
    return stamp(step.time_ms) if step else None
