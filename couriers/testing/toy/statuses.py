"""The toy courier's words for the status of a parcel."""

from couriers.contract.statuses import Status, StatusKey, StatusMapper

STATUSES: dict[StatusKey, Status] = {
    "booked": Status.BOOKED,
    "collected": Status.PICKED_UP,
    "on its way": Status.IN_TRANSIT,
    "at the door": Status.OUT_FOR_DELIVERY,
    "nobody home": Status.UNDELIVERED,
    "handed over": Status.DELIVERED,
    "going back": Status.RTO_IN_TRANSIT,
    "returned": Status.RTO_DELIVERED,
    "cancelled": Status.CANCELLED,
}
MAPPER = StatusMapper(STATUSES)
