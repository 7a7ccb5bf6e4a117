"""Callbacks to a webhook that is given on the command line."""

from __future__ import annotations

import hashlib
import hmac
import json

from sandbox.process import SandboxProcess
from tests.support.callback_receiver import CallbackReceiver
from tests.support.sandbox_client import Ekart


def test_a_webhook_of_the_command_line_gets_signed_callbacks_of_every_step() -> None:
    with CallbackReceiver() as receiver:
        webhook = ("--webhook", receiver.url, "a secret")
        with SandboxProcess(
            "ekart", "--pace", "0", "--outcomes", "undelivered=1", *webhook
        ) as running:
            booked = Ekart(running).book()
            assert running.wait_until_finished(10)
        for raw, headers in receiver.received:
            signature = hmac.new(b"a secret", raw, hashlib.sha256).hexdigest()
            assert headers["x-ekart-signature"] == signature
        bodies = [json.loads(raw) for raw, _ in receiver.received]
    assert {body["id"] for body in bodies} == {booked["id"]}
    by_status = {body["status"]: body for body in bodies if "status" in body}
    assert len(bodies) == len(by_status) + 1  # the creation has no status
    assert "pickupTime" not in by_status["Out for Pickup"]
    assert by_status["Undelivered"]["pickupTime"] == by_status["Picked Up"]["ctime"]
    assert by_status["Undelivered"]["attempts"] == "1"
    assert by_status["Undelivered"]["ndrStatus"]
