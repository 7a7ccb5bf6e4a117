"""Marks of the tests that call a courier itself. Environment variables switch them on."""

from __future__ import annotations

import os

import pytest


def live_marks(courier: str) -> list[pytest.MarkDecorator]:
    """Return the marks of a courier's gated suite."""
    gate = f"RUN_{courier.upper()}_LIVE"
    return [
        pytest.mark.django_db,
        pytest.mark.live,
        pytest.mark.skipif(
            os.environ.get(gate) != "1", reason=f"talks to {courier.title()}: set {gate}=1"
        ),
    ]


def mutation_of(courier: str) -> pytest.MarkDecorator:
    """Return the mark of the tests that book with a courier."""
    gate = f"{courier.upper()}_ALLOW_MUTATIONS"
    return pytest.mark.skipif(
        os.environ.get(gate) != "1", reason=f"books and cancels at {courier.title()}: set {gate}=1"
    )
