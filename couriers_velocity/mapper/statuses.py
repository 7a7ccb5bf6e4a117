"""Map Velocity's own words for the status of a shipment to neutral ones. Pure.

`externally_fulfilled`, `rto_cancelled` and `others` say nothing of the parcel: they change no
status, and polling goes on. The type of a status is the callback's `shipment_type`.
"""

from __future__ import annotations

from couriers.contract.statuses import Status, StatusKey, StatusMapper

_BY_STATUS = {
    Status.BOOKED: "pending processing order_created return_requested",
    Status.PICKUP_SCHEDULED: "ready_for_pickup pickup_scheduled return_pickup_scheduled",
    # The goods of a return are then still with the customer.
    Status.NOT_PICKED: "not_picked return_not_picked return_qc_failed return_ndr_raised"
    " return_need_attention",
    Status.PICKED_UP: "picked_up return_picked_up",
    Status.IN_TRANSIT: "in_transit return_in_transit",
    Status.OUT_FOR_DELIVERY: "out_for_delivery reattempt_delivery",
    Status.UNDELIVERED: "ndr_raised need_attention",
    Status.DELIVERED: "delivered return_delivered return_received",
    Status.CANCELLED: "cancelled return_cancelled rejected",
    Status.LOST: "lost rto_lost return_lost",
    Status.RTO_REQUESTED: "rto_initiated",
    Status.RTO_IN_TRANSIT: "rto_in_transit rto_need_attention",
    Status.RTO_DELIVERED: "rto_delivered",
}
# A word of a forward journey on the way back: the customer has not got the parcel.
_OF_RTO = {
    Status.RTO_IN_TRANSIT: "picked_up in_transit need_attention",
    Status.RTO_OUT_FOR_DELIVERY: "out_for_delivery reattempt_delivery",
    Status.RTO_FAILED: "ndr_raised",
    Status.RTO_DELIVERED: "delivered",
}
WORDS: dict[StatusKey, Status] = {
    word: status for status, words in _BY_STATUS.items() for word in words.split()
}
VELOCITY_MAPPER = StatusMapper(
    WORDS | {("", "rto", word): to for to, words in _OF_RTO.items() for word in words.split()}
)
