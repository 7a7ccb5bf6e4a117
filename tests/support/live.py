"""Marks of the tests that call couriers themselves. Environment variables switch them on."""

from __future__ import annotations

import os

import pytest

LIVE_MARKS = [
    pytest.mark.django_db,
    pytest.mark.live,
    pytest.mark.skipif(
        os.environ.get("RUN_EKART_LIVE") != "1", reason="talks to Ekart: set RUN_EKART_LIVE=1"
    ),
]
mutation = pytest.mark.skipif(
    os.environ.get("EKART_ALLOW_MUTATIONS") != "1",
    reason="books and cancels at Ekart: set EKART_ALLOW_MUTATIONS=1",
)
VELOCITY_MARKS = [
    pytest.mark.django_db,
    pytest.mark.live,
    pytest.mark.skipif(
        os.environ.get("RUN_VELOCITY_LIVE") != "1",
        reason="talks to Velocity: set RUN_VELOCITY_LIVE=1",
    ),
]
velocity_mutation = pytest.mark.skipif(
    os.environ.get("VELOCITY_ALLOW_MUTATIONS") != "1"
    or not os.environ.get("VELOCITY_LIVE_WAREHOUSE"),
    reason="books and cancels: set VELOCITY_ALLOW_MUTATIONS=1 and VELOCITY_LIVE_WAREHOUSE",
)
