"""Map Delhivery's statuses to neutral ones: by the type and the word, then by the NSL code. Pure.

The type `DL` alone says nothing: Delivered, RTO and DTO all have it. A code that is missing here
leaves what type and word say; a type and word that are missing change no status.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from couriers.contract.statuses import (
    MappedStatus,
    ReasonFacts,
    Status,
    StatusKey,
    StatusMapper,
)


def _codes(kind: str, words: str, codes: str, status: Status) -> Iterator[tuple[StatusKey, Status]]:
    """Yield an entry for each of the words (with `|` between) and codes (with blanks)."""
    for word in words.split("|"):
        for code in codes.split() or [""]:
            yield ("", kind, word, code), status


def _table(*rows: Iterable[tuple[StatusKey, Status]]) -> dict[StatusKey, Status]:
    return {key: status for row in rows for key, status in row}


S = Status
STATUSES = _table(
    _codes("UD", "Manifested", "", S.BOOKED),
    _codes("UD", "Manifested", "FMPUR-101", S.PICKUP_SCHEDULED),
    _codes("UD", "Manifested|Not Picked", "FMOFP-101", S.OUT_FOR_PICKUP),
    # It comes with X-PNP a second after the booking, and is no failure.
    _codes("UD", "Not Picked", "", S.PICKUP_PENDING),
    _codes("UD", "Not Picked", "FMEOD-* PNP-*", S.NOT_PICKED),
    # Cancelled by the seller before the pickup: type and word stay what they were.
    _codes("UD", "Manifested|Not Picked", "DTUP-210", S.CANCELLED),
    _codes("UD", "In Transit", "", S.IN_TRANSIT),
    _codes("UD", "In Transit", "X-PPOM X-PPONM X-PROM X-PRONM", S.PICKED_UP),
    # Damage (DLYDG) is no end at Delhivery: the parcel goes on.
    _codes("UD", "In Transit", "DLY* DOFF-*", S.DELAYED),
    _codes("UD", "Pending", "", S.IN_TRANSIT),
    _codes("UD", "Pending", "EOD-* ST-108 SC-* X-NSZ", S.UNDELIVERED),
    _codes("UD", "Dispatched", "", S.OUT_FOR_DELIVERY),
    _codes("DL", "Delivered", "", S.DELIVERED),
    _codes("RT", "In Transit", "", S.RTO_IN_TRANSIT),
    _codes("RT", "In Transit", "RT-101 RT-107 RT-108 RT-113", S.RTO_REQUESTED),
    _codes("RT", "In Transit", "DLY*", S.RTO_DELAYED),
    _codes("RT", "Pending", "", S.RTO_IN_TRANSIT),
    _codes("RT", "Pending", "RD-PD*", S.RTO_FAILED),
    _codes("RT", "Dispatched", "", S.RTO_OUT_FOR_DELIVERY),
    _codes("DL", "RTO", "", S.RTO_DELIVERED),
    # Returns: PP before the pickup at the customer's, PU after it, DTO at the warehouse.
    _codes("PP", "Open", "", S.BOOKED),
    _codes("PP", "Scheduled", "", S.PICKUP_SCHEDULED),
    _codes("PP", "Dispatched", "", S.OUT_FOR_PICKUP),
    _codes("PP", "", "EOD-26 EOD-65 EOD-68 EOD-73 EOD-121", S.NOT_PICKED),
    _codes("PU", "In Transit|Pending", "", S.IN_TRANSIT),
    _codes("PU", "In Transit", "EOD-77", S.PICKED_UP),
    _codes("PU", "Dispatched", "", S.OUT_FOR_DELIVERY),
    _codes("DL", "DTO", "", S.DELIVERED),
    _codes("CN", "Canceled|Cancelled|Closed", "", S.CANCELLED),
    _codes("CN", "Canceled|Cancelled", "EOD-21 EOD-777", S.PICKUP_CANCELLED),
    _codes("LT", "LOST", "", S.LOST),
)

# Another attempt is taken for these codes alone (the portal of 2026).
REASONS = {
    "EOD-74": ReasonFacts("address_issue"),
    "EOD-15": ReasonFacts("address_issue"),
    "EOD-104": ReasonFacts("out_of_delivery_area"),
    "EOD-43": ReasonFacts("self_collect"),
    "EOD-86": ReasonFacts("not_attempted"),
    "EOD-11": ReasonFacts("customer_unavailable"),
    "EOD-69": ReasonFacts("open_delivery"),
    "EOD-6": ReasonFacts("rejected_by_customer"),
    "EOD-3": ReasonFacts("delivery_rescheduled", reattemptable=False, needs_action=False),
    "EOD-16": ReasonFacts("payment_issue", reattemptable=False),
    "EOD-40": ReasonFacts("dispute", reattemptable=False),
    "EOD-111": ReasonFacts("rejected_by_customer", reattemptable=False),
    "EOD-137": ReasonFacts("otp_mismatch", reattemptable=False),
    "EOD-138": ReasonFacts("otp_mismatch", reattemptable=False),
    # The letter O: a refusal that the consignee has confirmed with a code. The parcel goes back.
    "EOD-6O": ReasonFacts("otp_verified_cancellation", reattemptable=False),
}
DELHIVERY_MAPPER = StatusMapper(
    STATUSES, REASONS, default_reason=ReasonFacts("other", reattemptable=False)
)
# The code says why, with these.
_WITH_REASON = {Status.UNDELIVERED, Status.NOT_PICKED}


def map_status(word: str, kind: str, code: str) -> MappedStatus:
    """Return the neutral status of a word, its type and its NSL code."""
    found = DELHIVERY_MAPPER.map(word, kind=kind, code=code)
    if found.status not in _WITH_REASON:
        return found
    return DELHIVERY_MAPPER.map(word, kind=kind, code=code, reason=code)
