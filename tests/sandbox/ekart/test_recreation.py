"""Shipments that get a new tracking id and waybill, and the callback that tells of it."""

from __future__ import annotations

import hashlib
import hmac
import json

from sandbox.process import SandboxProcess
from tests.support.callback_receiver import CallbackReceiver
from tests.support.sandbox_client import Ekart, assert_refused


def test_a_recreated_shipment_is_known_by_its_new_id_and_sends_a_callback() -> None:
    with SandboxProcess("ekart", "--hold") as own, CallbackReceiver() as receiver:
        ekart = Ekart(own)
        topics = ["shipment_recreated"]
        body = {"url": receiver.url, "secret": "a secret", "topics": topics}
        ekart.call("POST", "/api/v2/webhook", body)
        old = ekart.book()

        new = own.post("/_sandbox/recreate", {"tracking_id": old["id"]})
        assert (new["former_ids"], new["order_number"]) == ([old["id"]], old["order"])
        assert {new["tracking_id"], new["wbn"]}.isdisjoint(old.values())
        assert own.state()["booked"] == 1

        assert receiver.arrived.acquire(timeout=5)
        ((raw, headers),) = receiver.received
        signature = hmac.new(b"a secret", raw, hashlib.sha256).hexdigest()
        assert headers["x-ekart-signature"] == signature
        sent = json.loads(raw)
        assert (sent["id"], sent["wbn"]) == (new["tracking_id"], new["wbn"])
        assert sent["orderNumber"] == old["order"]

        ekart.advance(new["tracking_id"], "Delivered")
        for name in (old["id"], new["tracking_id"]):
            track = ekart.call("GET", f"/api/v1/track/{name}").json()
            assert (track["_id"], track["track"]["status"]) == (new["tracking_id"], "Delivered")


def test_an_unknown_shipment_cannot_be_recreated(ekart: Ekart) -> None:
    answer = ekart.call("POST", "/_sandbox/recreate", {"tracking_id": "unknown"})
    assert_refused(answer, "does not exist", 404)


def test_the_life_cycle_goes_on_after_a_recreation() -> None:
    with SandboxProcess("ekart", "--pace", "0.2", "--outcomes", "delivered=1") as own:
        ekart = Ekart(own)
        new = own.post("/_sandbox/recreate", {"tracking_id": ekart.book()["id"]})
        ekart.wait_for(new["tracking_id"], "Delivered")
