"""Callbacks with a key in X-API-Key, on the way of a parcel."""

from __future__ import annotations

import json

from sandbox.process import SandboxProcess
from tests.support.callback_receiver import CallbackReceiver
from tests.support.velocity_sandbox_client import Velocity


def test_each_change_of_status_is_sent_with_the_key() -> None:
    with CallbackReceiver() as receiver:
        flags = ("--pace", "0", "--outcomes", "rto=1", "--webhook", receiver.url, "a key")
        with SandboxProcess("velocity", *flags) as running:
            body = Velocity(running).order()
            made = Velocity(running).call("forward-order-orchestration", body).json()["payload"]
            assert running.wait_until_finished(10)
        assert {headers["x-api-key"] for _, headers in receiver.received} == {"a key"}
        events = [json.loads(raw) for raw, _ in receiver.received]
    assert {event["event"] for event in events} == {"status_change"}
    assert len({event["event_id"] for event in events}) == len(events)
    assert {event["data"]["tracking_number"] for event in events} == {made["awb_code"]}
    assert {event["data"]["order_external_id"] for event in events} == {body["order_id"]}
    assert all(event["event_timestamp"].endswith("+05:30") for event in events)
    kinds = {event["data"]["status"]: event["data"]["shipment_type"] for event in events}
    assert kinds == {
        "ready_for_pickup": "forward", "picked_up": "forward", "in_transit": "forward",
        "out_for_delivery": "forward", "ndr_raised": "forward", "rto_initiated": "rto",
        "rto_in_transit": "rto", "rto_delivered": "rto",
    }  # fmt: skip


def test_a_repeat_has_the_same_event_id_and_a_lost_one_never_comes() -> None:
    with CallbackReceiver() as receiver:
        flags = ("--hold", "--callback-repeats", "1")
        with SandboxProcess("velocity", *flags) as running:
            velocity = Velocity(running)
            running.post("/_sandbox/callback", {"url": receiver.url, "secret": "a key"})
            awb = velocity.book()["awb_code"]
            velocity.advance(awb, "picked_up")
            assert running.wait_until_finished(10)
            velocity.switch(tracking_additions=True)
            velocity.advance(awb, "in_transit")
            assert running.wait_until_finished(10)
            running.set_callback_faults(loss=1)
            velocity.advance(awb, "delivered")
            assert running.wait_until_finished(10)
            assert running.state()["callbacks"]["lost"] == 2
        events = [json.loads(raw) for raw, _ in receiver.received]
    ids = [event["event_id"] for event in events]
    assert len(ids) == 6
    assert len(set(ids)) == 3
    assert {event["event"] for event in events} == {"status_change", "tracking_addition"}
    assert "delivered" not in {event["data"].get("status") for event in events}


def test_a_callback_that_is_not_taken_may_never_be_sent_again() -> None:
    with CallbackReceiver([500]) as receiver:
        flags = ("--hold", "--switch", "redelivers_callbacks=false")
        with SandboxProcess("velocity", *flags) as running:
            velocity = Velocity(running)
            running.post("/_sandbox/callback", {"url": receiver.url, "secret": ""})
            awb = velocity.book()["awb_code"]
            velocity.advance(awb, "picked_up")
            assert running.wait_until_finished(10)
            velocity.switch(redelivers_callbacks=True)
            velocity.advance(awb, "in_transit")
            assert running.wait_until_finished(10)
            assert running.state()["callbacks"] == {
                "made": 2, "answer_500": 1, "given_up": 1, "answer_200": 1, "taken": 1
            }  # fmt: skip
        assert all("x-api-key" not in headers for _, headers in receiver.received)
