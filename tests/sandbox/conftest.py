"""Two sandboxes: one in which nothing moves by itself, one in which no parcel is delivered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import Ekart


@pytest.fixture(scope="session")
def held() -> Iterator[Ekart]:
    with SandboxProcess("ekart", "--hold", "--slow-seconds", "0.3") as running:
        yield Ekart(running)


@pytest.fixture(scope="session")
def lively() -> Iterator[Ekart]:
    with SandboxProcess("ekart", "--pace", "0.01", "--outcomes", "undelivered=1") as running:
        yield Ekart(running)
