"""Statuses, tracking and callbacks of Velocity."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.utils.datastructures import CaseInsensitiveMapping

from couriers.contract.receiver import Callback, MalformedEvent, Topic
from couriers.contract.statuses import Status
from couriers_velocity.mapper.statuses import VELOCITY_MAPPER
from couriers_velocity.mapper.tracking import trackings_from
from couriers_velocity.receiver import VelocityReceiver

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
# The table of the facts, word by word.
TABLE = {
    "booked": "pending processing order_created return_requested",
    "pickup_scheduled": "ready_for_pickup pickup_scheduled return_pickup_scheduled",
    "not_picked": "not_picked return_not_picked return_qc_failed return_ndr_raised"
    " return_need_attention",
    "picked_up": "picked_up return_picked_up",
    "in_transit": "in_transit return_in_transit",
    "out_for_delivery": "out_for_delivery reattempt_delivery",
    "undelivered": "ndr_raised need_attention",
    "delivered": "delivered return_delivered return_received",
    "cancelled": "cancelled return_cancelled rejected",
    "lost": "lost rto_lost return_lost",
    "rto_requested": "rto_initiated",
    "rto_in_transit": "rto_in_transit rto_need_attention",
    "rto_delivered": "rto_delivered",
}


@pytest.mark.parametrize(("status", "words"), TABLE.items())
def test_a_word_is_read_in_any_spelling(status: str, words: str) -> None:
    for word in words.split():
        for spelled in (word, word.upper(), word.replace("_", " ").title(), word.replace("_", "-")):
            assert VELOCITY_MAPPER.map(spelled).status == status, spelled


@pytest.mark.parametrize("word", ["externally_fulfilled", "rto_cancelled", "others", "", "new"])
def test_other_words_change_nothing(word: str) -> None:
    assert VELOCITY_MAPPER.map(word).status is None


def test_a_parcel_on_its_way_back_is_not_delivered() -> None:
    assert VELOCITY_MAPPER.map("delivered", kind="rto").status is Status.RTO_DELIVERED
    assert VELOCITY_MAPPER.map("in_transit", kind="RTO").status is Status.RTO_IN_TRANSIT
    assert VELOCITY_MAPPER.map("delivered", kind="forward").status is Status.DELIVERED
    assert VELOCITY_MAPPER.map("rto_initiated", kind="rto").status is Status.RTO_REQUESTED


def tracked(status: str, *activities: tuple[str, str]) -> Any:
    data = {
        "shipment_status": status, "track_status": None,
        "shipment_track_activities": [
            {"date": date, "activity": text, "location": "PUNE"} for date, text in activities
        ],
    }  # fmt: skip
    return {"result": {"AWB1": {"tracking_data": data}}}


def scans(body: Any) -> list[tuple[Any, ...]]:
    found = trackings_from(body, ["AWB1"], NOW)["AWB1"]
    return [(one.mapped.status, one.at, one.description) for one in found.scans]


def test_the_status_is_velocitys_word_at_the_latest_activity_in_whatever_order() -> None:
    at = dt.datetime(2026, 11, 29, 4, 30, tzinfo=dt.UTC)
    body = tracked(
        "rto_delivered", ("2026-11-28 09:00:00", "RTO"), ("2026-11-29 10:00:00", "DELIVERED")
    )
    assert scans(body) == [(Status.RTO_DELIVERED, at, "DELIVERED")]
    assert scans(tracked("in_transit", ("2026-11-29 10:00:00", "EOD-11"), ("soon", "X"))) == [
        (Status.IN_TRANSIT, at, "EOD-11")
    ]


def test_without_a_time_only_an_end_is_a_scan() -> None:
    assert scans(tracked("pending")) == []
    assert scans(tracked("ready_for_pickup", ("later", "X"))) == []
    assert scans(tracked("cancelled")) == [(Status.CANCELLED, NOW, "")]


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {}}, {"result": []}, {"result": {"AWB1": None}}, {"result": {"AWB1": {}}},
        {"result": {"AWB1": {"error": "not found"}}}, {"result": {"AWB1": {"tracking_data": None}}},
        {"result": {"AWB1": "no"}}, {"result": {"AWB2": {}}},
    ],
)  # fmt: skip
def test_an_unknown_awb_is_missing(answer: Any) -> None:
    assert trackings_from(answer, ["AWB1"], NOW) == {}


def payload(**data: Any) -> dict[str, Any]:
    told = {
        "tracking_number": "AWB1", "order_external_id": "A-1", "status": "ndr_raised",
        "sub_status": "Customer not available", "carrier_name": "Blue Dart",
        "shipment_type": "forward", "estimated_delivery_date": "2026-12-02T18:00:00+05:30",
    }  # fmt: skip
    return {
        "event": "status_change", "event_id": "e-1",
        "event_timestamp": "2026-11-30T10:15:00+05:30", "data": told | data,
    }  # fmt: skip


def test_a_callback_names_the_order_the_awb_and_the_status() -> None:
    (event,) = VelocityReceiver().parse(payload())
    assert (event.topic, event.tracking_id, event.order_number) == (
        Topic.TRACK_UPDATED, "AWB1", "A-1",
    )  # fmt: skip
    assert event.scan
    assert event.scan.mapped.status is Status.UNDELIVERED
    assert event.scan.at == dt.datetime(2026, 11, 30, 4, 45, tzinfo=dt.UTC)
    assert event.scan.description == "Customer not available"
    assert event.vendor == "Blue Dart"
    assert event.estimated_delivery_ms == 1_796_214_600_000
    (back,) = VelocityReceiver().parse(payload(status="delivered", shipment_type="rto"))
    assert back.scan
    assert back.scan.mapped.status is Status.RTO_DELIVERED


def test_a_callback_without_awb_status_or_time_is_malformed() -> None:
    for name in ("tracking_number", "status"):
        for value in (None, "", {}):
            with pytest.raises(MalformedEvent):
                VelocityReceiver().parse(payload(**{name: value}))
    with pytest.raises(MalformedEvent):
        VelocityReceiver().parse(payload() | {"event_timestamp": "soon"})
    with pytest.raises(MalformedEvent, match="no event of Velocity"):
        VelocityReceiver().parse(payload() | {"event": "refund"})
    for unreadable in ([], {}, None, 1):
        assert VelocityReceiver().topic_of({"event": unreadable}) is Topic.UNKNOWN


def test_the_header_of_the_secret_is_a_setting(settings: Any) -> None:
    couriers = {"velocity": {"WEBHOOK_HEADER": "X-Shop-Key"}}
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": couriers}
    body = json.dumps(payload()).encode()
    receiver = VelocityReceiver()
    wrong = Callback(body, CaseInsensitiveMapping({"X-API-Key": "the-secret"}))
    right = Callback(body, CaseInsensitiveMapping({"x-shop-key": "the-secret"}))
    assert receiver.verify(right, ["the-secret"])
    assert not receiver.verify(wrong, ["the-secret"])
    assert "X-Shop-Key" in receiver.explain_refusal(wrong, ["the-secret"])
