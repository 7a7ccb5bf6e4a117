"""The gated suite itself: off by default, and right about a courier that behaves."""

from __future__ import annotations

import pytest

from tests.support.delhivery import LOGIN, DelhiverySandbox
from tests.support.live_suite import LiveSuite, unless_asked_for

SUITE = LiveSuite(
    "delhivery", {f"DELHIVERY_{name.upper()}": value for name, value in LOGIN.items()}
)


@unless_asked_for("delhivery")
def test_the_live_suite_is_skipped_by_default_with_a_reason() -> None:
    SUITE.check_is_gated()


@pytest.mark.slow
def test_the_live_suite_books_only_if_mutations_are_allowed_and_passes_against_the_sandbox() -> (
    None
):
    with DelhiverySandbox() as sandbox:
        SUITE.check_reads(sandbox, passed=6, skipped=2)
        SUITE.check_books(sandbox, passed=8, booked=2)


@pytest.mark.slow
def test_nothing_is_booked_at_a_server_that_may_be_the_live_one() -> None:
    """A shipment there is real, whatever its address says. No call is made."""
    code, out = SUITE.run(
        "https://track.delhivery.example", "-k", "booked", DELHIVERY_ALLOW_MUTATIONS="1"
    )
    assert code == 1
    assert out.count("track.delhivery.example would book a real shipment") >= 2, out
    assert "passed" not in out.splitlines()[-1]
