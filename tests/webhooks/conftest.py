"""Fixtures of the tests of the inbox."""

from __future__ import annotations

import pytest


@pytest.fixture
def no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens for nudges; the drain is called by hand."""
    monkeypatch.setattr("webhooks.views.nudge", lambda: None)
