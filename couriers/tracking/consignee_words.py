"""What a status means to a consignee, in the words of the tracking page.

They are for people who ordered something and know no word of the trade: there is no NDR, RTO or
manifest in them. They are translated where they are shown; couriers/locale has the translations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from couriers.contract.statuses import Category, Status
from couriers.contract.types import Direction

GOOD, WARN, BAD = "good", "warn", "bad"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a status: a title, a sentence more, and its tone, "" for none."""

    title: Promise
    text: Promise
    tone: str = ""


_PREPARED = Words(
    pgettext_lazy("parcel", "Being prepared"),
    pgettext_lazy("parcel", "The shop is preparing the parcel."),
)
_WITH_SHOP = Words(
    pgettext_lazy("parcel", "Ready at the shop"),
    pgettext_lazy("parcel", "The courier will collect the parcel from the shop."),
)
_GOES_BACK = Words(
    pgettext_lazy("parcel", "Going back to the shop"),
    pgettext_lazy("parcel", "The parcel was not delivered and is on its way back to the shop."),
    WARN,
)
_LOST = Words(
    pgettext_lazy("parcel", "Lost"),
    pgettext_lazy("parcel", "The courier cannot find the parcel. Please ask the shop."),
    BAD,
)
_DAMAGED = Words(
    pgettext_lazy("parcel", "Damaged"),
    pgettext_lazy("parcel", "The parcel was damaged on the way. Please ask the shop."),
    BAD,
)

FORWARD: Mapping[Status, Words] = {
    Status.BOOKING: _PREPARED,
    Status.IN_DOUBT: _PREPARED,
    # The shop may book it again, with this courier or another.
    Status.FAILED: _PREPARED,
    Status.BOOKED: _WITH_SHOP,
    Status.PICKUP_PENDING: _WITH_SHOP,
    Status.PICKUP_SCHEDULED: _WITH_SHOP,
    Status.OUT_FOR_PICKUP: _WITH_SHOP,
    Status.NOT_PICKED: _WITH_SHOP,
    Status.PICKUP_CANCELLED: _WITH_SHOP,
    Status.PICKED_UP: Words(
        pgettext_lazy("parcel", "Picked up"),
        pgettext_lazy("parcel", "The courier has collected the parcel from the shop."),
    ),
    Status.IN_TRANSIT: Words(
        pgettext_lazy("parcel", "On its way"),
        pgettext_lazy("parcel", "The parcel is travelling to you."),
    ),
    Status.DELAYED: Words(
        pgettext_lazy("parcel", "Delayed"),
        pgettext_lazy("parcel", "The parcel is still on its way, but later than planned."),
        WARN,
    ),
    Status.OUT_FOR_DELIVERY: Words(
        pgettext_lazy("parcel", "Out for delivery"),
        pgettext_lazy("parcel", "The courier is bringing the parcel to you."),
    ),
    Status.UNDELIVERED: Words(
        pgettext_lazy("parcel", "Could not be delivered"),
        pgettext_lazy("parcel", "The courier tried to deliver the parcel, without success."),
        WARN,
    ),
    Status.DELIVERED: Words(
        pgettext_lazy("parcel", "Delivered"),
        pgettext_lazy("parcel", "If you have not got it, ask your family and neighbours first, "
                      "then the shop."),
        GOOD,
    ),
    Status.NOT_SERVICEABLE: Words(
        pgettext_lazy("parcel", "Cannot be delivered"),
        pgettext_lazy("parcel", "The courier does not deliver to this address. Please ask the "
                      "shop."),
        BAD,
    ),
    Status.CANCELLED: Words(
        pgettext_lazy("parcel", "Cancelled"),
        pgettext_lazy("parcel", "This parcel will not come. If you did not expect that, please "
                      "ask the shop."),
    ),
    Status.RTO_REQUESTED: _GOES_BACK,
    Status.RTO_IN_TRANSIT: _GOES_BACK,
    Status.RTO_DELAYED: _GOES_BACK,
    Status.RTO_OUT_FOR_DELIVERY: _GOES_BACK,
    Status.RTO_FAILED: _GOES_BACK,
    Status.RTO_DELIVERED: Words(
        pgettext_lazy("parcel", "Back at the shop"),
        pgettext_lazy("parcel", "The parcel was not delivered and has come back to the shop. "
                      "Please ask the shop about your money or a new delivery."),
    ),
    Status.LOST: _LOST,
    Status.DAMAGED: _DAMAGED,
}  # fmt: skip

_RETURN_PREPARED = Words(
    pgettext_lazy("parcel", "Return being prepared"),
    pgettext_lazy("parcel", "The shop is arranging the collection."),
)
_TO_BE_COLLECTED = Words(
    pgettext_lazy("parcel", "Return arranged"),
    pgettext_lazy("parcel", "The courier will collect the parcel from you. Please have it packed."),
)
_COMES_BACK = Words(
    pgettext_lazy("parcel", "Coming back to you"),
    pgettext_lazy("parcel", "The shop did not receive the parcel. It is on its way back to you."),
    WARN,
)
_AT_SHOPS_DOOR = Words(
    pgettext_lazy("parcel", "Arriving at the shop"),
    pgettext_lazy("parcel", "The courier is handing the parcel over to the shop. You need not "
                  "do anything."),
)  # fmt: skip

# A return: the goods travel from the consignee to the shop.
REVERSE: Mapping[Status, Words] = {
    Status.BOOKING: _RETURN_PREPARED,
    Status.IN_DOUBT: _RETURN_PREPARED,
    Status.FAILED: _RETURN_PREPARED,
    Status.BOOKED: _TO_BE_COLLECTED,
    Status.PICKUP_PENDING: _TO_BE_COLLECTED,
    Status.PICKUP_SCHEDULED: _TO_BE_COLLECTED,
    Status.OUT_FOR_PICKUP: Words(
        pgettext_lazy("parcel", "Courier on the way to you"),
        pgettext_lazy("parcel", "The courier is coming for the parcel. Please have it packed "
                      "and your phone ready."),
    ),
    Status.NOT_PICKED: Words(
        pgettext_lazy("parcel", "Not collected yet"),
        pgettext_lazy("parcel", "The courier came for the parcel, without success."),
        WARN,
    ),
    Status.PICKUP_CANCELLED: Words(
        pgettext_lazy("parcel", "Collection cancelled"),
        pgettext_lazy("parcel", "The courier will not come for the parcel. Please ask the shop."),
        WARN,
    ),
    Status.PICKED_UP: Words(
        pgettext_lazy("parcel", "Collected"),
        pgettext_lazy("parcel", "The courier has collected the parcel from you."),
    ),
    Status.IN_TRANSIT: Words(
        pgettext_lazy("parcel", "On its way to the shop"),
        pgettext_lazy("parcel", "The parcel is travelling to the shop. You need not do anything."),
    ),
    Status.DELAYED: Words(
        pgettext_lazy("parcel", "Delayed"),
        pgettext_lazy("parcel", "The parcel is still on its way to the shop, but later than "
                      "planned."),
        WARN,
    ),
    Status.OUT_FOR_DELIVERY: _AT_SHOPS_DOOR,
    Status.UNDELIVERED: _AT_SHOPS_DOOR,
    Status.DELIVERED: Words(
        pgettext_lazy("parcel", "Received by the shop"),
        pgettext_lazy("parcel", "The shop has the parcel. Please ask it about your money or the "
                      "exchange."),
        GOOD,
    ),
    Status.NOT_SERVICEABLE: Words(
        pgettext_lazy("parcel", "Cannot be collected"),
        pgettext_lazy("parcel", "The courier does not collect from this address. Please ask the "
                      "shop."),
        BAD,
    ),
    Status.CANCELLED: Words(
        pgettext_lazy("parcel", "Return cancelled"),
        pgettext_lazy("parcel", "The courier will not come for the parcel. If you did not expect "
                      "that, please ask the shop."),
    ),
    Status.RTO_REQUESTED: _COMES_BACK,
    Status.RTO_IN_TRANSIT: _COMES_BACK,
    Status.RTO_DELAYED: _COMES_BACK,
    Status.RTO_OUT_FOR_DELIVERY: _COMES_BACK,
    Status.RTO_FAILED: _COMES_BACK,
    Status.RTO_DELIVERED: Words(
        pgettext_lazy("parcel", "Back with you"),
        pgettext_lazy("parcel", "The shop did not receive the parcel, and it has come back to "
                      "you. Please ask the shop."),
    ),
    Status.LOST: _LOST,
    Status.DAMAGED: _DAMAGED,
}  # fmt: skip

# A scan whose status the platform does not know.
UNKNOWN = pgettext_lazy("parcel", "News from the courier")

STEPS: Mapping[str, tuple[Promise, ...]] = {
    Direction.FORWARD: (
        pgettext_lazy("parcel", "Ready"),
        pgettext_lazy("parcel", "Picked up"),
        pgettext_lazy("parcel", "On its way"),
        pgettext_lazy("parcel", "Out for delivery"),
        pgettext_lazy("parcel", "Delivered"),
    ),
    Direction.REVERSE: (
        pgettext_lazy("parcel", "Arranged"),
        pgettext_lazy("parcel", "Collected"),
        pgettext_lazy("parcel", "On its way"),
        pgettext_lazy("parcel", "At the shop"),
    ),
}


def words_of(status: Status, direction: str) -> Words:
    """Return what is said of a shipment's status."""
    return (REVERSE if direction == Direction.REVERSE else FORWARD)[status]


def steps_done(status: Status, category: Category, direction: str) -> int | None:
    """Return how many of the direction's STEPS are behind the parcel.

    None where they say nothing of it: it goes back, or has ended without a delivery.
    """
    steps = len(STEPS[direction])
    if status == Status.DELIVERED:
        return steps
    if status == Status.PICKED_UP:
        return 2
    return {
        Category.BOOKING: 0,
        Category.PICKUP: 1,
        Category.TRANSIT: 3,
        Category.DELIVERY: min(4, steps - 1),
        Category.EXCEPTION: min(4, steps - 1),
    }.get(category)
