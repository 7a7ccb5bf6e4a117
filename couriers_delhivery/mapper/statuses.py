"""Map Delhivery's statuses to neutral ones: by type and word, then by the NSL code. Pure.

The type `DL` alone says nothing: Delivered, RTO and DTO all have it. An unknown code leaves what
type and word say; an unknown type and word change no status.
"""

from couriers.contract.statuses import ReasonFacts, StatusMapper, status_table

# Type, words, codes ("" for any other), neutral status.
_ROWS = (
    ("UD", "Manifested", "", "booked"),
    ("UD", "Manifested", "FMPUR-101", "pickup_scheduled"),
    ("UD", "Manifested|Not Picked", "FMOFP-101", "out_for_pickup"),
    # It comes with X-PNP a second after the booking, and is no failure.
    ("UD", "Not Picked", "", "pickup_pending"),
    ("UD", "Not Picked", "FMEOD-*|PNP-*", "not_picked"),
    # The seller cancelled it before the pickup: type and word stay what they were.
    ("UD", "Manifested|Not Picked", "DTUP-210", "cancelled"),
    ("UD", "In Transit", "", "in_transit"),
    ("UD", "In Transit", "X-PPOM|X-PPONM|X-PROM|X-PRONM", "picked_up"),
    # Damage (DLYDG) is no end at Delhivery: the parcel goes on.
    ("UD", "In Transit", "DLY*|DOFF-*", "delayed"),
    ("UD", "Pending", "", "in_transit"),
    ("UD", "Pending", "EOD-*|ST-108|SC-*|X-NSZ", "undelivered"),
    ("UD", "Dispatched", "", "out_for_delivery"),
    ("DL", "Delivered|DTO", "", "delivered"),  # DTO is a return at the warehouse
    ("RT", "In Transit|Pending", "", "rto_in_transit"),
    ("RT", "In Transit", "RT-101|RT-107|RT-108|RT-113", "rto_requested"),
    ("RT", "In Transit", "DLY*", "rto_delayed"),
    ("RT", "Pending", "RD-PD*", "rto_failed"),
    ("RT", "Dispatched", "", "rto_out_for_delivery"),
    ("DL", "RTO", "", "rto_delivered"),
    # Returns, before and after the pickup at the customer's.
    ("PP", "Open", "", "booked"),
    ("PP", "Scheduled", "", "pickup_scheduled"),
    ("PP", "Dispatched", "", "out_for_pickup"),
    ("PP", "", "EOD-26|EOD-65|EOD-68|EOD-73|EOD-121", "not_picked"),
    ("PU", "In Transit|Pending", "", "in_transit"),
    ("PU", "In Transit", "EOD-77", "picked_up"),
    ("PU", "Dispatched", "", "out_for_delivery"),
    ("CN", "Canceled|Cancelled|Closed", "", "cancelled"),
    ("CN", "Canceled|Cancelled", "EOD-21|EOD-777", "pickup_cancelled"),
    ("LT", "LOST", "", "lost"),
)
STATUSES = status_table(_ROWS)
# Another attempt is taken for these codes alone (the portal of 2026).
_REATTEMPTABLE = {
    "EOD-74": "address_issue", "EOD-15": "address_issue", "EOD-104": "out_of_delivery_area",
    "EOD-43": "self_collect", "EOD-86": "not_attempted", "EOD-11": "customer_unavailable",
    "EOD-69": "open_delivery", "EOD-6": "rejected_by_customer",
}  # fmt: skip
# EOD-6O has the letter O: the consignee has confirmed the refusal with a code.
_OTHERS = {
    "EOD-3": "delivery_rescheduled", "EOD-16": "payment_issue", "EOD-40": "dispute",
    "EOD-111": "rejected_by_customer", "EOD-137": "otp_mismatch", "EOD-138": "otp_mismatch",
    "EOD-6O": "otp_verified_cancellation",
}  # fmt: skip
REASONS = {code: ReasonFacts(name) for code, name in _REATTEMPTABLE.items()} | {
    code: ReasonFacts(name, reattemptable=False, needs_action=code not in ("EOD-3", "EOD-6O"))
    for code, name in _OTHERS.items()
}
_OTHER = ReasonFacts("other", reattemptable=False)
DELHIVERY_MAPPER = StatusMapper(STATUSES, REASONS, default_reason=_OTHER, code_is_reason=True)
