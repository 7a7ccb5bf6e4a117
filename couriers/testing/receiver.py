"""The conformance of a receiver. It needs no server."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from django.utils.datastructures import CaseInsensitiveMapping
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.receiver import (
    Callback,
    CourierEvent,
    MalformedEvent,
    Topic,
    WebhookReceiver,
)
from couriers.testing.properties import inherited, json_values

SECRET = "a secret of tests"  # noqa: S105 - of no account
NON_ASCII = "ключ-पासवर्ड-é"


class ReceiverConformance:
    """Tests of a receiver. A plug-in sets `receiver` and `samples`, and writes `sign`.

    `samples` are bodies of callbacks, one of each kind that the courier sends. `secret` is one that
    the courier would take. `signs_bodies` is False for a courier whose callbacks have a static
    header: then a changed body cannot be told.
    """

    receiver: ClassVar[WebhookReceiver]
    samples: ClassVar[Sequence[bytes]]
    secret: ClassVar[str] = SECRET
    signs_bodies: ClassVar[bool] = True

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        """Return the headers that the courier would send with the body."""
        raise NotImplementedError

    def verify(self, body: bytes, headers: Mapping[str, str], *secrets: str) -> bool:
        """Return whether the receiver accepts the body with these headers."""
        return self.receiver.verify(Callback(body, CaseInsensitiveMapping(headers)), secrets)

    def test_the_current_and_the_previous_secret_are_accepted(self) -> None:
        headers = self.sign(self.samples[0], self.secret)
        assert self.receiver.secret_problem(self.secret) is None
        assert self.verify(self.samples[0], headers, self.secret)
        assert self.verify(self.samples[0], headers, "another-secret", self.secret), "the previous"

    def test_no_secret_and_a_wrong_one_are_refused(self) -> None:
        body = self.samples[0]
        headers = self.sign(body, self.secret)
        assert not self.verify(body, headers), "an account without a secret"
        assert not self.verify(body, headers, "another-secret")
        assert not self.verify(body, {}, self.secret), "a callback without headers"
        for secret in ("", NON_ASCII):
            assert not self.verify(body, headers, secret)
            assert not self.verify(body, dict.fromkeys(headers, ""), secret)
        assert not self.verify(body, self.sign(body, ""), ""), "signed with an empty secret"

    def test_characters_outside_ascii_raise_nothing(self) -> None:
        body = self.samples[0]
        headers = self.sign(body, self.secret)
        for value in (NON_ASCII, "\x00", "é" * 64):
            assert not self.verify(body, dict.fromkeys(headers, value), self.secret)
            self.verify(body, dict.fromkeys(headers, value), self.secret, NON_ASCII)

    def test_a_test_callback_of_the_platform_is_verified(self) -> None:
        body = self.samples[0]
        if not (headers := self.receiver.sign(body, self.secret)):
            pytest.skip("the plug-in does not say how the courier signs")
        assert self.verify(body, dict(headers), self.secret)
        assert not self.verify(body, dict(headers), "another-secret")

    def test_a_changed_body_is_refused(self) -> None:
        if not self.signs_bodies:
            pytest.skip("the courier's callbacks have a static header")
        headers = self.sign(self.samples[0], self.secret)
        assert not self.verify(self.samples[0] + b" ", headers, self.secret)

    @inherited
    @given(st.binary(max_size=50), st.text(max_size=50), st.text(max_size=50))
    def test_nothing_that_arrives_makes_the_verification_raise(
        self, body: bytes, value: str, secret: str
    ) -> None:
        headers = dict.fromkeys(self.sign(self.samples[0], self.secret), value)
        for secrets in ((), (secret,), (secret, self.secret)):
            self.verify(body, headers, *secrets)
        callback = Callback(body, CaseInsensitiveMapping(headers))
        words = self.receiver.explain_refusal(callback, (self.secret,))
        assert self.secret not in words, "an explanation shows the secret"
        self.receiver.secret_problem(secret)

    def test_every_sample_has_its_events(self) -> None:
        for body in self.samples:
            payload = json.loads(body)
            assert self.receiver.topic_of(payload) is not Topic.UNKNOWN, body
            events = self.receiver.parse(payload)
            assert events, f"no event: {body!r}"
            for event in events:
                _check_event(event)

    @inherited
    @given(st.dictionaries(st.text(max_size=20), json_values, max_size=5))
    def test_any_object_is_read_or_malformed(self, payload: dict[str, Any]) -> None:
        self._read(payload)

    @inherited
    @given(st.data())
    def test_a_sample_with_any_other_value_is_read_or_malformed(self, data: Any) -> None:
        payload = copy.deepcopy(json.loads(data.draw(st.sampled_from(list(self.samples)))))
        holder, key = data.draw(st.sampled_from(list(_places(payload))))
        if data.draw(st.booleans()):
            holder[key] = data.draw(json_values)
        else:
            del holder[key]
        self._read(payload)

    def _read(self, payload: dict[str, Any]) -> None:
        """Read a body as the inbox does. Only MalformedEvent may be raised."""
        assert isinstance(self.receiver.topic_of(payload), Topic)
        try:
            events = self.receiver.parse(payload)
        except MalformedEvent as error:
            if not str(error):
                raise AssertionError("MalformedEvent says why") from error
            return
        for event in events:
            _check_event(event)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in decoded JSON: the object or list, and the key in it."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _check_event(event: CourierEvent) -> None:
    assert isinstance(event, CourierEvent)
    assert event.topic is not Topic.UNKNOWN, "an event has a topic"
    assert event.tracking_id or event.order_number, "an event names a parcel or an order"
    for text in (event.tracking_id, event.order_number, event.waybill, event.vendor):
        assert isinstance(text, str)
    if event.topic is Topic.TRACK_UPDATED:
        assert event.scan, "TRACK_UPDATED has a scan"
        assert event.scan.at.utcoffset() == dt.timedelta(0), "the time of a scan is in UTC"
    else:
        assert event.tracking_id, f"{event.topic} has a tracking id"
        assert event.order_number, f"{event.topic} has an order number"
    estimate = event.estimated_delivery_ms
    assert estimate is None or isinstance(estimate, int), "milliseconds since the epoch, or None"
