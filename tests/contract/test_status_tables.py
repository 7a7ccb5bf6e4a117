"""The published status tables of two further couriers, each line as an entry of a StatusMapper.

They prove that the mapper can say what couriers say: pairs of type and word, and codes below them.
"""

from __future__ import annotations

import itertools

import pytest

from couriers.contract.statuses import ReasonFacts, Status, StatusKey, StatusMapper

S = Status


def entries(
    kind: str, words: tuple[str, ...], codes: tuple[str, ...], status: Status
) -> dict[StatusKey, Status]:
    """Return an entry for each pair of word and code of the type; ("",) stands for any."""
    return {("", kind, word, code): status for word, code in itertools.product(words, codes)}


# Delhivery's B2C API: the pair of type and status decides, and for some pairs the code.
PICKED_UP_CODES = ("X-PPOM", "X-PPONM", "X-PROM", "X-PRONM")
UNDELIVERED_CODES = ("EOD-*", "ST-108", "SC-*", "X-NSZ")
NOT_PICKED_CODES = ("EOD-26", "EOD-65", "EOD-68", "EOD-73", "EOD-121")
DELHIVERY_STATUSES: dict[StatusKey, Status] = {
    **entries("UD", ("Manifested",), ("",), S.BOOKED),
    **entries("UD", ("Manifested",), ("FMPUR-101",), S.PICKUP_SCHEDULED),
    **entries("UD", ("Manifested", "Not Picked"), ("FMOFP-101",), S.OUT_FOR_PICKUP),
    **entries("UD", ("Not Picked",), ("",), S.PICKUP_PENDING),
    **entries("UD", ("Not Picked",), ("FMEOD-*", "PNP-*"), S.NOT_PICKED),
    **entries("UD", ("Manifested", "Not Picked"), ("DTUP-210",), S.CANCELLED),
    **entries("UD", ("In Transit",), ("",), S.IN_TRANSIT),
    **entries("UD", ("In Transit",), PICKED_UP_CODES, S.PICKED_UP),
    **entries("UD", ("In Transit",), ("DLY*", "DOFF-*"), S.DELAYED),
    **entries("UD", ("Pending",), ("",), S.IN_TRANSIT),
    **entries("UD", ("Pending",), UNDELIVERED_CODES, S.UNDELIVERED),
    **entries("UD", ("Dispatched",), ("",), S.OUT_FOR_DELIVERY),
    **entries("DL", ("Delivered", "DTO"), ("",), S.DELIVERED),
    **entries("DL", ("RTO",), ("",), S.RTO_DELIVERED),
    **entries("RT", ("In Transit", "Pending"), ("",), S.RTO_IN_TRANSIT),
    **entries("RT", ("In Transit",), ("RT-101", "RT-107", "RT-108", "RT-113"), S.RTO_REQUESTED),
    **entries("RT", ("In Transit",), ("DLY*",), S.RTO_DELAYED),
    **entries("RT", ("Pending",), ("RD-PD*",), S.RTO_FAILED),
    **entries("RT", ("Dispatched",), ("",), S.RTO_OUT_FOR_DELIVERY),
    **entries("PP", ("Open",), ("",), S.BOOKED),
    **entries("PP", ("Scheduled",), ("",), S.PICKUP_SCHEDULED),
    **entries("PP", ("Dispatched",), ("",), S.OUT_FOR_PICKUP),
    **entries("PP", ("",), NOT_PICKED_CODES, S.NOT_PICKED),
    **entries("PU", ("In Transit", "Pending"), ("",), S.IN_TRANSIT),
    **entries("PU", ("In Transit",), ("EOD-77",), S.PICKED_UP),
    **entries("PU", ("Dispatched",), ("",), S.OUT_FOR_DELIVERY),
    **entries("CN", ("Canceled", "Cancelled"), ("",), S.CANCELLED),
    **entries("CN", ("Canceled", "Cancelled"), ("EOD-21", "EOD-777"), S.PICKUP_CANCELLED),
    **entries("CN", ("Closed",), ("",), S.CANCELLED),
    **entries("LT", ("LOST",), ("",), S.LOST),
}
# The code of an undelivered scan is its reason.
DELHIVERY_REASONS = {
    "EOD-3": ReasonFacts("delivery_rescheduled", needs_action=False),
    "EOD-6": ReasonFacts("rejected_by_customer"),
    "EOD-6O": ReasonFacts("otp_verified_cancellation", reattemptable=False),
    "EOD-11": ReasonFacts("customer_unavailable"),
    "EOD-15": ReasonFacts("address_issue"),
    "EOD-16": ReasonFacts("payment_issue"),
    "EOD-43": ReasonFacts("self_collect"),
    "EOD-74": ReasonFacts("address_issue"),
    "EOD-86": ReasonFacts("not_attempted"),
}
DELHIVERY = StatusMapper(DELHIVERY_STATUSES, DELHIVERY_REASONS)

# The lines of the table as the courier sends them: type, word, code. Codes that no line names stand
# for "other" and "any".
DELHIVERY_LINES = [
    ("UD", "Manifested", "X-UCI", S.BOOKED),
    ("UD", "Manifested", "NEW-1", S.BOOKED),
    ("UD", "Manifested", "", S.BOOKED),
    ("UD", "MANIFESTED", "FMPUR-101", S.PICKUP_SCHEDULED),
    ("UD", "Manifested", "FMOFP-101", S.OUT_FOR_PICKUP),
    ("UD", "Not Picked", "FMOFP-101", S.OUT_FOR_PICKUP),
    ("UD", "Not Picked", "X-PNP", S.PICKUP_PENDING),
    ("UD", "Not Picked", "FMEOD-103", S.NOT_PICKED),
    ("UD", "not picked", "PNP-102", S.NOT_PICKED),
    ("UD", "Manifested", "DTUP-210", S.CANCELLED),
    ("UD", "Not Picked", "DTUP-210", S.CANCELLED),
    ("UD", "In Transit", "X-PPOM", S.PICKED_UP),
    ("UD", "In Transit", "X-PRONM", S.PICKED_UP),
    ("UD", "In Transit", "X-PIOM", S.IN_TRANSIT),
    ("UD", "In Transit", "DLYDC-101", S.DELAYED),
    ("UD", "In Transit", "DLYDG-119", S.DELAYED),
    ("UD", "In Transit", "DOFF-128", S.DELAYED),
    ("UD", "Pending", "EOD-74", S.UNDELIVERED),
    ("UD", "Pending", "ST-108", S.UNDELIVERED),
    ("UD", "Pending", "SC-102", S.UNDELIVERED),
    ("UD", "Pending", "X-NSZ", S.UNDELIVERED),
    ("UD", "Pending", "X-IBD3F", S.IN_TRANSIT),
    ("UD", "Dispatched", "ST-114", S.OUT_FOR_DELIVERY),
    ("UD", "Dispatched", "X-DDD3FD", S.OUT_FOR_DELIVERY),
    ("DL", "Delivered", "EOD-38", S.DELIVERED),
    ("DL", "RTO", "RD-AC", S.RTO_DELIVERED),
    ("DL", "DTO", "RD-AC", S.DELIVERED),
    ("DL", "", "", None),
    ("RT", "In Transit", "RT-101", S.RTO_REQUESTED),
    ("RT", "In Transit", "RT-113", S.RTO_REQUESTED),
    ("RT", "In Transit", "RT-104", S.RTO_IN_TRANSIT),
    ("RT", "In Transit", "DLYRG-125", S.RTO_DELAYED),
    ("RT", "Pending", "RD-PD7", S.RTO_FAILED),
    ("RT", "Pending", "X-IBD3F", S.RTO_IN_TRANSIT),
    ("RT", "Dispatched", "X-DDD3FD", S.RTO_OUT_FOR_DELIVERY),
    ("PP", "Open", "", S.BOOKED),
    ("PP", "Scheduled", "X-ASP", S.PICKUP_SCHEDULED),
    ("PP", "Dispatched", "X-DDD3FP", S.OUT_FOR_PICKUP),
    ("PP", "Scheduled", "EOD-26", S.NOT_PICKED),
    ("PP", "Anything", "EOD-121", S.NOT_PICKED),
    ("PU", "In Transit", "EOD-77", S.PICKED_UP),
    ("PU", "In Transit", "X-PIOM", S.IN_TRANSIT),
    ("PU", "Pending", "X-IBD3F", S.IN_TRANSIT),
    ("PU", "Dispatched", "X-DDD3FD", S.OUT_FOR_DELIVERY),
    ("CN", "Canceled", "EOD-777", S.PICKUP_CANCELLED),
    ("CN", "Cancelled", "EOD-21", S.PICKUP_CANCELLED),
    ("CN", "Canceled", "DTUP-210", S.CANCELLED),
    ("CN", "Closed", "X-CS", S.CANCELLED),
    ("LT", "LOST", "LT-100", S.LOST),
    ("XX", "In Transit", "X-PIOM", None),
    ("UD", "Teleported", "X-PIOM", None),
]


@pytest.mark.parametrize(("kind", "word", "code", "status"), DELHIVERY_LINES)
def test_each_line_of_delhiverys_table_maps(
    kind: str, word: str, code: str, status: Status | None
) -> None:
    assert DELHIVERY.map(word, kind=kind, code=code).status == status


def test_every_exact_entry_of_delhiverys_table_is_found() -> None:
    sent = {entry for entry in DELHIVERY.entries() if not entry[3].endswith("*")}
    for _, kind, word, code in sent:
        assert DELHIVERY.map(word, kind=kind, code=code).status is not None


def test_an_otp_verified_refusal_is_told_from_a_refusal() -> None:
    assert DELHIVERY.map("Pending", reason="EOD-6").reason == DELHIVERY_REASONS["EOD-6"]
    refused = DELHIVERY.map("Pending", reason="EOD-6O").reason
    assert refused is not None
    assert not refused.reattemptable


# Velocity: its own words decide. Those of returns that are also sent without their prefix mean the
# same in both directions.
VELOCITY_WORDS: dict[Status, str] = {
    S.BOOKED: "pending processing order_created return_requested",
    S.PICKUP_SCHEDULED: "ready_for_pickup pickup_scheduled return_pickup_scheduled",
    S.NOT_PICKED: (
        "not_picked return_not_picked return_qc_failed return_ndr_raised return_need_attention"
    ),
    S.PICKED_UP: "picked_up return_picked_up",
    S.IN_TRANSIT: "in_transit return_in_transit",
    S.OUT_FOR_DELIVERY: "out_for_delivery reattempt_delivery",
    S.UNDELIVERED: "ndr_raised need_attention",
    S.DELIVERED: "delivered return_delivered return_received",
    S.CANCELLED: "cancelled return_cancelled rejected",
    S.LOST: "lost rto_lost return_lost",
    S.RTO_REQUESTED: "rto_initiated",
    S.RTO_IN_TRANSIT: "rto_in_transit rto_need_attention",
    S.RTO_DELIVERED: "rto_delivered",
}
VELOCITY_STATUSES: dict[StatusKey, Status] = {
    word: status for status, words in VELOCITY_WORDS.items() for word in words.split()
}
# A return whose quality check or pickup raises an exception was not picked, whichever word says so.
VELOCITY_STATUSES |= {
    ("reverse", "", "ndr_raised"): S.NOT_PICKED,
    ("reverse", "", "need_attention"): S.NOT_PICKED,
}
VELOCITY = StatusMapper(VELOCITY_STATUSES)


@pytest.mark.parametrize(
    ("word", "status"),
    [(word, status) for status, words in VELOCITY_WORDS.items() for word in words.split()],
)
def test_each_word_of_velocitys_table_maps_in_each_spelling(word: str, status: Status) -> None:
    for spelt in (word, word.upper(), word.replace("_", " ").title(), word.replace("_", "-")):
        assert VELOCITY.map(spelt).status == status


@pytest.mark.parametrize("word", ["externally_fulfilled", "rto_cancelled", "others", "DLVD"])
def test_velocitys_other_words_are_unknown(word: str) -> None:
    assert VELOCITY.map(word).status is None


def test_a_word_of_velocitys_has_its_meaning_by_the_direction() -> None:
    mapped = VELOCITY.map("ndr_raised")
    assert VELOCITY.in_direction(mapped, "forward") == S.UNDELIVERED
    assert VELOCITY.in_direction(mapped, "reverse") == S.NOT_PICKED
