"""Clients of running sandboxes of Velocity."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from sandbox.velocity.switches import VelocitySwitches
from tests.support.velocity_sandbox_client import Velocity


@pytest.fixture(scope="session")
def running_velocity() -> Iterator[Velocity]:
    with SandboxProcess("velocity", "--hold", "--slow-seconds", "0.3") as running:
        yield Velocity(running)


@pytest.fixture
def velocity(running_velocity: Velocity) -> Iterator[Velocity]:
    """On hold: a parcel changes its status only where a test says so. Its switches are as usual."""
    yield running_velocity
    running_velocity.switch(**VelocitySwitches().as_json())
    running_velocity.sandbox.set_faults()


@pytest.fixture(scope="session")
def moving_velocity() -> Iterator[Velocity]:
    """With life cycles, all of which end in ndr_raised."""
    with SandboxProcess("velocity", "--pace", "0.01", "--outcomes", "undelivered=1") as running:
        yield Velocity(running)
