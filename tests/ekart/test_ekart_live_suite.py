"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import pytest

from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN
from tests.support.live_suite import LiveSuite, unless_asked_for

SUITE = LiveSuite("ekart", SANDBOX_LOGIN)


@unless_asked_for("ekart")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    SUITE.check_is_gated()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with SandboxProcess("ekart", "--hold") as sandbox:
        SUITE.check_reads(sandbox, passed=7, skipped=4)
        SUITE.check_books(sandbox, passed=11, booked=4)
