"""How each type, word and code of Delhivery maps to a neutral status and a reason."""

from __future__ import annotations

import re

import pytest

from couriers.contract.statuses import STATUS_FACTS, MappedStatus
from couriers_delhivery.mapper.statuses import DELHIVERY_MAPPER

# The facts' table, row by row; "?" stands for a code that nobody has seen.
EXPECTED = """
UD|Manifested|X-UCI|booked                  UD|Manifested|?|booked
UD|Manifested|FMPUR-101|pickup_scheduled    UD|Manifested|FMOFP-101|out_for_pickup
UD|Not Picked|FMOFP-101|out_for_pickup      UD|Not Picked|X-PNP|pickup_pending
UD|Not Picked|FMEOD-103|not_picked          UD|Not Picked|PNP-102|not_picked
UD|Manifested|DTUP-210|cancelled            UD|Not Picked|DTUP-210|cancelled
UD|In Transit|X-PPOM|picked_up              UD|In Transit|X-PPONM|picked_up
UD|In Transit|X-PROM|picked_up              UD|In Transit|X-PRONM|picked_up
UD|In Transit|DLYRG-120|delayed             UD|In Transit|DOFF-128|delayed
UD|In Transit|DLYDG-120|delayed             UD|In Transit|X-PIOM|in_transit
UD|In Transit|X-DLL2F|in_transit            UD|In Transit|?|in_transit
UD|Pending|EOD-11|undelivered               UD|Pending|ST-108|undelivered
UD|Pending|SC-102|undelivered               UD|Pending|X-NSZ|undelivered
UD|Pending|X-IBD3F|in_transit               UD|Pending|?|in_transit
UD|Dispatched|X-DDD3FD|out_for_delivery     UD|Dispatched|ST-114|out_for_delivery
DL|Delivered|EOD-38|delivered               DL|Delivered|?|delivered
RT|In Transit|RT-101|rto_requested          RT|In Transit|RT-107|rto_requested
RT|In Transit|RT-108|rto_requested          RT|In Transit|RT-113|rto_requested
RT|In Transit|RT-104|rto_in_transit         RT|In Transit|DLYRG-125|rto_delayed
RT|Pending|RD-PD3|rto_failed                RT|Pending|X-IBD3F|rto_in_transit
RT|Dispatched|X-DDD3FD|rto_out_for_delivery DL|RTO|RD-AC|rto_delivered
PP|Open|X-UCI|booked                        PP|Scheduled|X-ASP|pickup_scheduled
PP|Dispatched|X-DDD3FP|out_for_pickup       PP|Scheduled|EOD-26|not_picked
PP|Open|EOD-65|not_picked                   PP|Dispatched|EOD-68|not_picked
PP|Scheduled|EOD-73|not_picked              PP|Scheduled|EOD-121|not_picked
PU|In Transit|EOD-77|picked_up              PU|In Transit|X-DLL2F|in_transit
PU|Pending|X-IBD3F|in_transit               PU|Dispatched|X-DDD3FD|out_for_delivery
DL|DTO|EOD-38|delivered                     CN|Canceled|EOD-21|pickup_cancelled
CN|Canceled|EOD-777|pickup_cancelled        CN|Canceled|?|cancelled
CN|Cancelled|EOD-777|pickup_cancelled       CN|Cancelled|?|cancelled
CN|Closed|?|cancelled                       LT|LOST|LT-100|lost
"""
ROWS = [row.strip().split("|") for row in re.split(r"\s+(?=[A-Z]{2}\|)", EXPECTED) if row.strip()]


def map_status(word: str, kind: str, code: str) -> MappedStatus:
    return DELHIVERY_MAPPER.map(word, kind=kind, code=code)


@pytest.mark.parametrize(("kind", "word", "code", "status"), ROWS)
def test_each_row_maps_in_every_writing(kind: str, word: str, code: str, status: str) -> None:
    code = "Q-1" if code == "?" else code
    for spelling in (word, word.upper(), word.lower(), f" {word} "):
        assert map_status(spelling, kind, code).status == status


@pytest.mark.parametrize(
    ("kind", "word"),
    [("DL", ""), ("", "Dispatched"), ("", "Delivered"), ("UD", "RTO"), ("ZZ", "Collected")],
)
def test_half_a_status_is_unknown_and_its_words_are_kept(kind: str, word: str) -> None:
    mapped = map_status(word, kind, "Q-1")
    assert (mapped.status, mapped.courier_status, mapped.courier_type) == (None, word, kind)


def test_a_code_without_its_pair_says_nothing() -> None:
    assert map_status("Delivered", "DL", "EOD-11").status == "delivered"
    assert map_status("Delivered", "DL", "EOD-11").reason is None


def test_the_ends_are_those_that_the_vendor_names() -> None:
    ends = {
        (kind, word)
        for kind, word, _, status in ROWS
        if STATUS_FACTS[map_status(word, kind, "Q-1").status].terminal  # type: ignore[index]
    }
    assert ends == {
        ("DL", "Delivered"), ("DL", "RTO"), ("DL", "DTO"), ("CN", "Closed"), ("LT", "LOST"),
        ("CN", "Canceled"), ("CN", "Cancelled"),
    }  # fmt: skip


# For each reason: the neutral code, and whether Delhivery takes another attempt.
REASONS = {
    "EOD-74": ("address_issue", True), "EOD-15": ("address_issue", True),
    "EOD-104": ("out_of_delivery_area", True), "EOD-43": ("self_collect", True),
    "EOD-86": ("not_attempted", True), "EOD-11": ("customer_unavailable", True),
    "EOD-69": ("open_delivery", True), "EOD-6": ("rejected_by_customer", True),
    "EOD-3": ("delivery_rescheduled", False), "EOD-16": ("payment_issue", False),
    "EOD-40": ("dispute", False), "EOD-111": ("rejected_by_customer", False),
    "EOD-137": ("otp_mismatch", False), "EOD-138": ("otp_mismatch", False),
    "EOD-6O": ("otp_verified_cancellation", False), "EOD-999": ("other", False),
    "X-NSZ": ("other", False),
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), REASONS.items())
def test_each_reason_says_whether_another_attempt_is_taken(
    code: str, expected: tuple[str, bool]
) -> None:
    for writing in (code, code.lower()):
        reason = map_status("Pending", "UD", writing).reason
        assert reason is not None
        assert (reason.code, reason.reattemptable) == expected
