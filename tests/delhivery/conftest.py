"""Delhivery's stand-in, and an adapter of an account with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from couriers_delhivery.adapter import DelhiveryAdapter
from tests.support.delhivery import DelhiverySandbox, adapter_at


@pytest.fixture(scope="module")
def running() -> Iterator[DelhiverySandbox]:
    with DelhiverySandbox() as process:
        yield process


@pytest.fixture
def sandbox(running: DelhiverySandbox) -> Iterator[DelhiverySandbox]:
    """The stand-in; what a test switches is as usual again after it."""
    usual: dict[str, Any] = running._ask("/_sandbox/switches")
    yield running
    running.switch(**usual)
    running.set_faults()


@pytest.fixture
def adapter(db: None, sandbox: DelhiverySandbox) -> DelhiveryAdapter:
    return adapter_at(sandbox.url)
