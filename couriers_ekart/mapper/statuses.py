"""Map Ekart's 24 tracking statuses and 19 NDR statuses to neutral ones. Pure.

Source: `swift_status` and `swift_ndr_status` of the Ekart API 3.8.8.
"""

from __future__ import annotations

from functools import partial

from couriers.contract.statuses import Category, ReasonFacts, Status, StatusKey, StatusMapper

STATUSES: dict[StatusKey, Status] = {
    "Order Placed": Status.BOOKED,
    "Pickup Pending": Status.PICKUP_PENDING,
    "Pickup Scheduled": Status.PICKUP_SCHEDULED,
    "Out for Pickup": Status.OUT_FOR_PICKUP,
    "Not Picked": Status.NOT_PICKED,
    "Pickup Cancelled": Status.PICKUP_CANCELLED,
    "Picked Up": Status.PICKED_UP,
    "In Transit": Status.IN_TRANSIT,
    "Shipment Delayed": Status.DELAYED,
    "Out for Delivery": Status.OUT_FOR_DELIVERY,
    "Undelivered": Status.UNDELIVERED,
    "Delivered": Status.DELIVERED,
    "Not Serviceable": Status.NOT_SERVICEABLE,
    "Cancelled": Status.CANCELLED,
    "Seller Cancelled": Status.CANCELLED,
    "RTO Requested": Status.RTO_REQUESTED,
    "Seller RTO Requested": Status.RTO_REQUESTED,
    "RTO In Transit": Status.RTO_IN_TRANSIT,
    "RTO Shipment Delayed": Status.RTO_DELAYED,
    "RTO Out for Delivery": Status.RTO_OUT_FOR_DELIVERY,
    "RTO Failed": Status.RTO_FAILED,
    "RTO Delivered": Status.RTO_DELIVERED,
    "Lost": Status.LOST,
    "Damaged": Status.DAMAGED,
}

# The network's own history (/data/v1/elite/track) has the same statuses in snake case, except for
# these two. "Shipped" was also seen outside of the network's history.
NETWORK = "network"
OTHER_STATUSES: dict[StatusKey, Status] = {
    ("", NETWORK, "pickup_complete"): Status.PICKED_UP,
    "Shipped": Status.IN_TRANSIT,
}

# No further attempt follows: the parcel goes back or is gone.
_over = partial(ReasonFacts, reattemptable=False, cancellable=False)
_closed = partial(_over, category=Category.CLOSED, terminal=True)

NDR_STATUSES: dict[str, ReasonFacts] = {
    # The consignee or the address was the cause: another attempt may succeed.
    "Unknown Exception": ReasonFacts("unknown_exception"),
    "Customer Unavailable": ReasonFacts("customer_unavailable"),
    "Customer Unreachable": ReasonFacts("customer_unreachable"),
    "Address Issue": ReasonFacts("address_issue"),
    "Payment Issue": ReasonFacts("payment_issue"),
    "OTP Not Received/OTP Mismatch": ReasonFacts("otp_mismatch"),
    "Rejected by Customer": ReasonFacts("rejected_by_customer"),
    "Dispute": ReasonFacts("dispute"),
    "Out Of Delivery Area": ReasonFacts("out_of_delivery_area"),
    # Ekart goes on by itself: nobody needs to act yet.
    "Delivery Rescheduled": ReasonFacts("delivery_rescheduled", needs_action=False),
    "Not Attempted": ReasonFacts("not_attempted", needs_action=False),
    "On Hold": ReasonFacts("on_hold", needs_action=False),
    "Self Collect": ReasonFacts("self_collect", needs_action=False),
    "Pickup Rescheduled": ReasonFacts(
        "pickup_rescheduled", category=Category.PICKUP, reattemptable=False, needs_action=False
    ),
    "Maximum Attempt Reached": ReasonFacts("maximum_attempts", reattemptable=False),
    "Order Already Cancelled": _closed("order_already_cancelled", needs_action=False),
    "OTP Verified Cancellation": _closed("otp_verified_cancellation", needs_action=False),
    "Shipment Seized By Customer": _closed("seized_by_customer"),
    "RTO Delivery Failed": _over("rto_delivery_failed", category=Category.RTO),
}

EKART_MAPPER = StatusMapper(STATUSES | OTHER_STATUSES, NDR_STATUSES)
