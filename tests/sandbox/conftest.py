"""Clients of two running sandboxes of Ekart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart


@pytest.fixture(scope="session")
def ekart() -> Iterator[Ekart]:
    """On hold: a shipment changes its status only where a test says so."""
    with SandboxProcess("ekart", "--hold", "--slow-seconds", "0.3") as running:
        yield Ekart(running)


@pytest.fixture(scope="session")
def moving_ekart() -> Iterator[Ekart]:
    """With life cycles, all of which end in Undelivered."""
    with SandboxProcess("ekart", "--pace", "0.01", "--outcomes", "undelivered=1") as running:
        yield Ekart(running)
