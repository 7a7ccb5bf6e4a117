"""Why a parcel could not be handed over, and what the consignee can do, by the neutral reason.

A courier's own words for the reason are never shown: they may hold a name or a phone. Its plug-in
maps them to a neutral code (ReasonFacts), and the sentences here are made for the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction


@dataclass(frozen=True, slots=True)
class Advice:
    """Why an attempt failed, None where that is not known, and what to do now, in order."""

    reason: Promise | None
    steps: tuple[Promise, ...]


_TRIES_AGAIN = pgettext_lazy("parcel", "The courier usually tries again on the next working day.")
_PHONE_READY = pgettext_lazy(
    "parcel", "Keep the phone ready whose number you gave with the order: the courier calls it."
)
_SOMEBODY = pgettext_lazy("parcel", "Ask somebody to be there who can take the parcel.")
_ANOTHER_DAY = pgettext_lazy(
    "parcel", "If another day or another phone number is better, tell the shop today."
)
_NOTHING_TO_DO = pgettext_lazy(
    "parcel", "You need not do anything. If it takes long, ask the shop."
)
_STILL_WANTED = pgettext_lazy(
    "parcel", "If you still want the parcel, tell the shop today. Otherwise it goes back."
)
_MISTAKE = pgettext_lazy("parcel", "If that is not right, tell the shop today.")

_GENERAL = (_TRIES_AGAIN, _PHONE_READY, _ANOTHER_DAY)
_WAITS = (_NOTHING_TO_DO,)

BY_REASON: Mapping[str, Advice] = {
    "customer_unavailable": Advice(
        pgettext_lazy("parcel", "Nobody was there when the courier came."),
        (_TRIES_AGAIN, _SOMEBODY, _PHONE_READY, _ANOTHER_DAY),
    ),
    "customer_unreachable": Advice(
        pgettext_lazy("parcel", "The courier could not reach you by phone."),
        (_TRIES_AGAIN, _PHONE_READY, _ANOTHER_DAY),
    ),
    "address_issue": Advice(
        pgettext_lazy("parcel", "The courier could not find the address."),
        (
            pgettext_lazy("parcel", "Tell the shop the full address today, with a landmark."),
            _PHONE_READY,
        ),
    ),
    "payment_issue": Advice(
        pgettext_lazy("parcel", "The parcel could not be paid for."),
        (
            _TRIES_AGAIN,
            pgettext_lazy("parcel", "Have the exact amount ready, or ask the courier for a way to "
                          "pay by phone."),
            _ANOTHER_DAY,
        ),
    ),
    "otp_mismatch": Advice(
        pgettext_lazy("parcel", "The delivery code was not there or did not match."),
        (
            _TRIES_AGAIN,
            pgettext_lazy("parcel", "The courier sends the code by SMS. Tell it only to the person "
                          "who brings the parcel, and never by phone."),
            _ANOTHER_DAY,
        ),
    ),
    "rejected_by_customer": Advice(
        pgettext_lazy("parcel", "The parcel was not accepted."), (_STILL_WANTED,)
    ),
    "dispute": Advice(
        pgettext_lazy("parcel", "Something about the parcel was not agreed."), (_STILL_WANTED,)
    ),
    "out_of_delivery_area": Advice(
        pgettext_lazy("parcel", "The courier does not come to this address."),
        (
            pgettext_lazy("parcel", "Ask the shop for another way to get the parcel."),
        ),
    ),
    "delivery_rescheduled": Advice(
        pgettext_lazy("parcel", "The delivery was moved to another day."),
        (_PHONE_READY, _MISTAKE),
    ),
    "pickup_rescheduled": Advice(
        pgettext_lazy("parcel", "The collection was moved to another day."),
        (_PHONE_READY, _MISTAKE),
    ),
    "not_attempted": Advice(
        pgettext_lazy("parcel", "The courier could not come."), (_TRIES_AGAIN, _NOTHING_TO_DO)
    ),
    "on_hold": Advice(pgettext_lazy("parcel", "The courier is holding the parcel."), _WAITS),
    "self_collect": Advice(
        pgettext_lazy("parcel", "The parcel is to be fetched from the courier's office."),
        (
            pgettext_lazy("parcel", "Ask the shop where the parcel is. Take the order number and "
                          "an identity card with you."),
            _MISTAKE,
        ),
    ),
    "maximum_attempts": Advice(
        pgettext_lazy("parcel", "The courier will not try again by itself."), (_STILL_WANTED,)
    ),
}  # fmt: skip
# For a reason without sentences of its own.
OTHER = Advice(None, _GENERAL)
COLLECTION = Advice(
    None,
    (
        pgettext_lazy("parcel", "The courier usually comes again on the next working day. Please "
                      "have the parcel packed."),
        _PHONE_READY,
        _ANOTHER_DAY,
    ),
)  # fmt: skip


def reason_code(courier: str, reason: str) -> str:
    """Return the neutral code of a courier's reason; "" for none, or one that is not known."""
    if not reason:
        return ""
    try:
        mapper = CourierFactory.adapter_class(courier).mapper
    except UnknownCourier:  # its plug-in was removed
        return ""
    facts = mapper.map("", reason=reason).reason
    return facts.code if facts else ""


def reason_of(courier: str, reason: str) -> Promise | None:
    """Return the sentence of why an attempt failed, None where none is certain."""
    found = BY_REASON.get(reason_code(courier, reason))
    return found.reason if found else None


def advice_for(courier: str, status: Status, direction: str, reason: str) -> Advice | None:
    """Return what the consignee can do now, None where there is nothing to do.

    `reason` is the courier's own, as it is stored with the shipment.
    """
    if direction == Direction.REVERSE:
        if status != Status.NOT_PICKED:
            return None
        found = BY_REASON.get(reason_code(courier, reason))
        return Advice(found.reason if found else None, COLLECTION.steps)
    if status != Status.UNDELIVERED:
        return None
    return BY_REASON.get(reason_code(courier, reason), OTHER)
