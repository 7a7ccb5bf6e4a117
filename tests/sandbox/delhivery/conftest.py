"""Clients of a running sandbox of Delhivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.process import SandboxProcess
from tests.support.delhivery_sandbox_client import Delhivery

HELD = ("--hold", "--slow-seconds", "0.3", "--switch", "cancel_scan_lag=0.05")


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    """On hold: a shipment changes its status only where a test says so."""
    other = ("--account", "other-key", "OTHER SURFACE")
    with SandboxProcess("delhivery", *HELD, *other) as process:
        yield process


@pytest.fixture
def delhivery(running: SandboxProcess) -> Iterator[Delhivery]:
    """A client; what a test switches is as usual again after it."""
    client = Delhivery(running)
    usual: dict[str, Any] = client.call("GET", "/_sandbox/switches").json()
    yield client
    client.switch(**usual)
    running.set_faults()
