"""How each status and each NDR reason of Ekart maps to a neutral one."""

from __future__ import annotations

import pytest

from couriers.contract.statuses import STATUS_FACTS, Status
from couriers_ekart.mapper.statuses import EKART_MAPPER, NDR_STATUSES, NETWORK, STATUSES
from tests.support.vendor_document import document

EXPECTED = {
    "Order Placed": "booked", "In Transit": "in_transit", "Out for Delivery": "out_for_delivery",
    "Delivered": "delivered", "Cancelled": "cancelled", "Seller Cancelled": "cancelled",
    "RTO Requested": "rto_requested", "Seller RTO Requested": "rto_requested",
    "RTO In Transit": "rto_in_transit", "RTO Delivered": "rto_delivered",
    "RTO Out for Delivery": "rto_out_for_delivery", "RTO Failed": "rto_failed",
    "Picked Up": "picked_up", "Pickup Cancelled": "pickup_cancelled",
    "Pickup Pending": "pickup_pending", "Pickup Scheduled": "pickup_scheduled", "Lost": "lost",
    "Damaged": "damaged", "Shipment Delayed": "delayed", "Not Serviceable": "not_serviceable",
    "Not Picked": "not_picked", "Undelivered": "undelivered", "Out for Pickup": "out_for_pickup",
    "RTO Shipment Delayed": "rto_delayed",
}  # fmt: skip


@pytest.mark.parametrize(("word", "status"), EXPECTED.items())
def test_each_status_maps(word: str, status: str) -> None:
    spellings = (word, word.upper(), word.replace(" ", "_"), f" {word.replace(' ', '-')} ")
    assert {EKART_MAPPER.map(spelling).status for spelling in spellings} == {status}


def test_there_are_24_statuses_and_19_reasons() -> None:
    assert (len(STATUSES), len(NDR_STATUSES)) == (24, 19)
    assert set(STATUSES) == set(EXPECTED)
    assert set(NDR_STATUSES) == set(REASONS)


# For each reason: the neutral code, whether a reattempt is possible, whether a person must act.
REASONS = {
    "Unknown Exception": ("unknown_exception", True, True),
    "Customer Unavailable": ("customer_unavailable", True, True),
    "Rejected by Customer": ("rejected_by_customer", True, True),
    "Delivery Rescheduled": ("delivery_rescheduled", True, False),
    "Pickup Rescheduled": ("pickup_rescheduled", False, False),
    "Customer Unreachable": ("customer_unreachable", True, True),
    "Address Issue": ("address_issue", True, True),
    "Payment Issue": ("payment_issue", True, True),
    "Out Of Delivery Area": ("out_of_delivery_area", True, True),
    "Order Already Cancelled": ("order_already_cancelled", False, False),
    "Self Collect": ("self_collect", True, False),
    "Shipment Seized By Customer": ("seized_by_customer", False, True),
    "Dispute": ("dispute", True, True),
    "Maximum Attempt Reached": ("maximum_attempts", False, True),
    "Not Attempted": ("not_attempted", True, False),
    "OTP Not Received/OTP Mismatch": ("otp_mismatch", True, True),
    "OTP Verified Cancellation": ("otp_verified_cancellation", False, False),
    "On Hold": ("on_hold", True, False),
    "RTO Delivery Failed": ("rto_delivery_failed", False, True),
}


@pytest.mark.parametrize(("word", "expected"), REASONS.items())
def test_each_reason_maps(word: str, expected: tuple[str, bool, bool]) -> None:
    for spelling in (word, word.upper(), f" {word.replace(' ', '_')} "):
        reason = EKART_MAPPER.map("Undelivered", reason=spelling).reason
        assert reason is not None
        assert (reason.code, reason.reattemptable, reason.needs_action) == expected
        # A terminal reason allows no reattempt and no cancellation.
        assert not (reason.terminal and (reason.reattemptable or reason.cancellable))


def test_statuses_of_older_integrations_are_unknown() -> None:
    for word in ("Delivery Failed", "RTO Initiated", ""):
        mapped = EKART_MAPPER.map(word)
        assert (mapped.status, mapped.courier_status) == (None, word)


def test_shipped_is_known_outside_of_the_networks_history_too() -> None:
    for kind in ("", NETWORK):
        assert EKART_MAPPER.map("SHIPPED", kind=kind).status == "in_transit"


def test_exactly_these_statuses_are_terminal() -> None:
    assert {s.value for s, facts in STATUS_FACTS.items() if facts.terminal} == {
        "delivered", "rto_delivered", "cancelled", "lost", "damaged", "not_serviceable", "failed",
    }  # fmt: skip
    assert set(STATUS_FACTS) == set(Status)


def test_statuses_and_reasons_are_those_of_the_vendors_document() -> None:
    schemas = document()["components"]["schemas"]
    assert set(schemas["swift_status"]["enum"]) == set(STATUSES)
    assert set(schemas["swift_ndr_status"]["enum"]) == set(NDR_STATUSES)
