"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.live_suite import LiveSuite, unless_asked_for
from tests.support.velocity_sandbox_client import WAREHOUSE

SUITE = LiveSuite("velocity", {"VELOCITY_API_KEY": "sandbox"})


@unless_asked_for("velocity")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    SUITE.check_is_gated()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with SandboxProcess("velocity", "--hold") as sandbox:
        SUITE.check_reads(sandbox, passed=5, skipped=1)
        made = requests.post(
            f"{sandbox.url}/custom/api/v1/warehouse", json=WAREHOUSE, timeout=10,
            headers={"Authorization": "sandbox"},
        ).json()  # fmt: skip
        reference = f"{made['payload']['warehouse_id']}/{WAREHOUSE['name']}"
        SUITE.check_books(sandbox, passed=6, booked=1, VELOCITY_LIVE_WAREHOUSE=reference)
        assert list(sandbox.invalid_requests()) == []
