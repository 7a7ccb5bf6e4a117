"""Cancellations, which are accepted and carried out later, re-attempts and returns to origin."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.support.velocity_sandbox_client import Velocity, assert_refused


def cancel(velocity: Velocity, *awbs: str) -> requests.Response:
    return velocity.call("cancel-order", {"awbs": awbs})


def reattempt(velocity: Velocity, awb: str, **changes: Any) -> requests.Response:
    return velocity.call("reattempt", {"awb": awb} | changes)


@pytest.fixture
def undelivered(velocity: Velocity) -> str:
    awb = str(velocity.book()["awb_code"])
    velocity.advance(awb, "picked_up", "ndr_raised")
    return awb


def test_a_cancellation_is_accepted_and_carried_out_later(velocity: Velocity) -> None:
    wallet = velocity.sandbox.state()["wallet"]
    awb = velocity.book()["awb_code"]
    answer = cancel(velocity, awb)
    assert "in progress" in answer.json()["message"]
    assert velocity.status(awb) == "pending"
    velocity.wait_for(awb, "cancelled")
    assert velocity.sandbox.state()["wallet"] == wallet


def test_a_parcel_that_is_fetched_in_the_meantime_is_not_cancelled(velocity: Velocity) -> None:
    awb = velocity.book()["awb_code"]
    assert cancel(velocity, awb).status_code == 200
    velocity.advance(awb, "picked_up")
    time.sleep(0.4)
    assert velocity.status(awb) == "picked_up"


def test_a_parcel_on_its_way_or_unknown_is_not_cancelled_and_no_other_with_it(
    velocity: Velocity,
) -> None:
    waiting, moving = (velocity.book()["awb_code"] for _ in range(2))
    velocity.advance(moving, "in_transit")
    assert_refused(cancel(velocity, waiting, moving), "in_transit", 422)
    assert_refused(cancel(velocity, waiting, "unknown"), "does not exist", 422)
    time.sleep(0.3)
    assert velocity.status(waiting) == "pending"


def test_a_cancellation_that_is_asked_for_again_is_accepted_or_refused(
    velocity: Velocity,
) -> None:
    awb = velocity.book()["awb_code"]
    assert cancel(velocity, awb).status_code == cancel(velocity, awb).status_code == 200
    velocity.wait_for(awb, "cancelled")
    assert cancel(velocity, awb).status_code == 200
    velocity.switch(cancel_again="refused")
    assert_refused(cancel(velocity, awb), "already cancelled", 422)


def test_whether_returns_are_cancelled_is_a_switch(velocity: Velocity) -> None:
    awb = velocity.book_return()["awb_code"]
    velocity.switch(cancels_returns=False)
    assert_refused(cancel(velocity, awb), "Return", 422)
    velocity.switch(cancels_returns=True)
    assert cancel(velocity, awb).status_code == 200
    velocity.wait_for(awb, "return_cancelled")


def test_at_most_fifty_are_cancelled_in_a_call(velocity: Velocity) -> None:
    assert_refused(cancel(velocity, *(f"A{number}" for number in range(51))), "1 to 50")
    assert_refused(cancel(velocity), "1 to 50")


def test_a_reattempt_delivers_the_parcel(moving_velocity: Velocity) -> None:
    awb = moving_velocity.book()["awb_code"]
    moving_velocity.wait_for(awb, "ndr_raised")
    answer = reattempt(
        moving_velocity, awb, comments="Ring twice", updated_phone_number="+919123456780",
        updated_address={"address_line": "9, Gandhi Road", "landmark": "Lake"},
    )  # fmt: skip
    assert answer.json()["success"] is True
    moving_velocity.wait_for(awb, "delivered")
    summary = moving_velocity.summary(awb)
    assert (summary["ndr_actions"], summary["address_changed"]) == (["reattempt"], True)


def test_an_rto_returns_the_parcel(moving_velocity: Velocity) -> None:
    awb = moving_velocity.book()["awb_code"]
    moving_velocity.wait_for(awb, "ndr_raised")
    assert moving_velocity.call("initiate-rto", {"awb": awb}).json()["success"] is True
    moving_velocity.wait_for(awb, "rto_delivered")


@pytest.mark.parametrize("path", ["reattempt", "initiate-rto"])
def test_an_action_needs_a_raised_ndr(velocity: Velocity, path: str) -> None:
    awb = velocity.book()["awb_code"]
    assert_refused(velocity.call(path, {"awb": awb}), "NDR is not raised", 422)


def test_there_is_no_reattempt_after_two_failed_attempts(
    velocity: Velocity, undelivered: str
) -> None:
    assert reattempt(velocity, undelivered).status_code == 200
    velocity.advance(undelivered, "ndr_raised")
    assert_refused(reattempt(velocity, undelivered), "two failed", 422)
    assert velocity.call("initiate-rto", {"awb": undelivered}).status_code == 200


def test_there_is_no_reattempt_after_a_verified_refusal(
    velocity: Velocity, undelivered: str
) -> None:
    velocity.sandbox.post("/_sandbox/verify-refusal", {"tracking_id": undelivered})
    assert_refused(reattempt(velocity, undelivered), "OTP", 422)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"date": "2026-12-01"}, "date is not a known field"),
        ({"updated_phone_number": "9123456789"}, "+91"),
        ({"updated_address": {"pincode": "110002"}}, "pincode"),
        ({"updated_address": "9, Gandhi Road"}, "object"),
        ({"updated_address": {"address_line": "x" * 256}}, "255"),
        ({"comments": ""}, "comments"),
    ],
)
def test_a_reattempt_is_refused_as_the_documents_say(
    velocity: Velocity, undelivered: str, changes: dict[str, Any], about: str
) -> None:
    assert_refused(reattempt(velocity, undelivered, **changes), about)
