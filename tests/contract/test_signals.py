"""Announcing: after the commit, to every receiver, and a receiver's fault goes no further."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.db import transaction

from couriers.contract.signals import ShipmentSignal, announce
from couriers.models import Shipment

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "9, Secret Lane"


@pytest.fixture
def signal() -> ShipmentSignal:
    return ShipmentSignal()


@pytest.fixture
def log_text(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """A function that returns everything that was logged, by structlog or by Django."""
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as entries:
        yield lambda: caplog.text + str(entries)


def test_a_signal_is_sent_after_the_commit(signal: ShipmentSignal) -> None:
    heard = []

    def receive(**facts: Any) -> None:
        heard.append((facts["shipment_id"], transaction.get_connection().in_atomic_block))

    signal.connect(receive)
    with transaction.atomic():
        announce(signal, Shipment, shipment_id="shp_1")
        assert heard == []
    assert heard == [("shp_1", False)]


def test_a_change_that_is_rolled_back_is_not_announced(signal: ShipmentSignal) -> None:
    heard = []

    def receive(**facts: Any) -> None:
        heard.append(facts["number"])

    signal.connect(receive)
    with transaction.atomic():
        announce(signal, Shipment, number=1)
        with transaction.atomic():
            announce(signal, Shipment, number=2)
            transaction.set_rollback(True)
    assert heard == [1]


def test_where_nobody_listens_nothing_is_registered(
    signal: ShipmentSignal, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = []
    monkeypatch.setattr(transaction, "on_commit", lambda *a, **k: registered.append(a))
    announce(signal, Shipment, shipment_id="shp_1")

    def receive(**_: Any) -> None:
        """Listen to another sender."""

    signal.connect(receive, sender=transaction.Atomic)
    announce(signal, Shipment, shipment_id="shp_1")
    assert registered == []
    signal.connect(receive)
    announce(signal, Shipment, shipment_id="shp_1")
    assert len(registered) == 1


def test_a_receivers_exception_is_logged_without_its_text_and_the_next_one_is_called(
    signal: ShipmentSignal, log_text: Any
) -> None:
    heard = []

    def fail(**_: Any) -> None:
        raise LookupError(SECRET)

    def receive(**facts: Any) -> None:
        heard.append(facts["shipment_id"])

    signal.connect(fail)
    signal.connect(receive)
    announce(signal, Shipment, shipment_id="shp_1")
    assert heard == ["shp_1"]
    assert SECRET not in log_text()
    assert "LookupError" in log_text()
    assert f"{__name__}.{fail.__qualname__}" in log_text()


def test_a_receiver_without_a_name_may_fail_as_well(signal: ShipmentSignal, log_text: Any) -> None:
    def fail(text: str, **_: Any) -> None:
        raise LookupError(text)

    receiver = functools.partial(fail, SECRET)
    signal.connect(receiver)
    with transaction.atomic():
        announce(signal, Shipment, shipment_id="shp_1")
    assert "functools.partial" in log_text()
    assert SECRET not in log_text()


def test_an_asynchronous_receiver_is_called_and_its_fault_goes_no_further(
    signal: ShipmentSignal, log_text: Any
) -> None:
    heard = []

    async def fail(**facts: Any) -> None:
        heard.append(facts["shipment_id"])
        raise LookupError(SECRET)

    signal.connect(fail)
    with transaction.atomic():
        announce(signal, Shipment, shipment_id="shp_1")
    assert heard == ["shp_1"]
    assert SECRET not in log_text()
