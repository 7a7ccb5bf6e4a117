"""The words in which Velocity and its carriers tell what became of a parcel. Pure."""

from __future__ import annotations

from sandbox.velocity.switches import VelocitySwitches

BEFORE_PICKUP = {
    "pending", "processing", "order_created", "ready_for_pickup", "pickup_scheduled", "not_picked",
    "return_requested", "return_pickup_scheduled", "return_not_picked", "need_attention",
}  # fmt: skip
PICKED_UP = ("picked_up", "return_picked_up", "in_transit", "return_in_transit")
DELIVERED = ("delivered", "return_delivered", "return_received")
CANCELLED = {"cancelled", "return_cancelled"}
# What carriers write about a status, and the bare codes that some of them pass on.
ACTIVITIES = {
    "ready_for_pickup": ("MANIFEST UPLOADED", "X-UCI"),
    "pickup_scheduled": ("OUT FOR PICKUP", "X-PPOM"),
    "return_pickup_scheduled": ("OUT FOR PICKUP", "X-PPOM"),
    "picked_up": ("PICKED UP", "X-PPON"),
    "return_picked_up": ("PICKED UP", "X-PPON"),
    "in_transit": ("BAG RECEIVED AT FACILITY", "X-DBL1F"),
    "return_in_transit": ("BAG RECEIVED AT FACILITY", "X-DBL1F"),
    "out_for_delivery": ("OUT FOR DELIVERY", "X-DDD3FD"),
    "reattempt_delivery": ("OUT FOR DELIVERY", "X-DDD3FD"),
    "delivered": ("DELIVERED", "EOD-38"),
    "return_delivered": ("DELIVERED", "EOD-38"),
    "return_received": ("DELIVERED", "EOD-38"),
    "rto_initiated": ("RETURN TO ORIGIN INITIATED", "X-SC"),
    "rto_in_transit": ("RTO IN TRANSIT", "DTUP-209"),
    "rto_delivered": ("RTO DELIVERED", "RT-110"),
    "cancelled": ("CANCELLED BY CLIENT", "DTUP-235"),
    "lost": ("SHIPMENT LOST", "LT-100"),
}
NDR_ACTIVITIES = (
    ("CUSTOMER NOT AVAILABLE", "EOD-11"),
    ("CUSTOMER REFUSED TO ACCEPT", "EOD-6"),
    ("ADDRESS INCOMPLETE", "EOD-74"),
    ("COD AMOUNT NOT READY", "EOD-65"),
)


def written(status: str, switches: VelocitySwitches) -> str:
    """A status as it is written at present."""
    forms = {
        "title": status.replace("_", " ").title(),
        "dash": status.replace("_", "-"),
        "upper": status.upper(),
    }
    return forms.get(switches.status_form, status)
