"""Marks of the tests that call Ekart itself. Environment variables switch them on."""

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
