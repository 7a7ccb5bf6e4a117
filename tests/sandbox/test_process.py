"""A sandbox as a child process."""

from __future__ import annotations

import pytest

from sandbox import process
from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart


def test_a_sandbox_that_does_not_start_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="does not start"), SandboxProcess("ekart", "--nonsense"):
        pass


def test_long_lists_are_read_in_pages(ekart: Ekart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PAGE_SIZE", 2)
    booked = [ekart.book()["id"] for _ in range(5)]
    listed = [shipment["tracking_id"] for shipment in ekart.sandbox.shipments()]
    assert listed[-5:] == booked


def test_waiting_ends_where_life_cycles_do_not(ekart: Ekart) -> None:
    ekart.book()
    assert ekart.sandbox.wait_until_finished(0.3) is False
