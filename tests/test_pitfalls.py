"""Mistakes that public courier integrations make, each with the tests that prevent it here.

The list helps to find the tests for a failure. This module checks that they exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pitfalls import PITFALLS
from tests.support.suite import names_in_the_suite

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_the_tests_of_each_pitfall_exist(pitfall: str) -> None:
    assert PITFALLS[pitfall]
    assert set(PITFALLS[pitfall]) <= names_in_the_suite()


def test_the_core_and_the_inbox_name_no_courier() -> None:
    couriers = re.compile("ekart|flipkart|delhivery|velocity", re.IGNORECASE)
    named = [
        str(path.relative_to(ROOT))
        for app in ("couriers", "webhooks")
        for kind in ("*.py", "*.html")
        for path in (ROOT / app).rglob(kind)
        if couriers.search(path.read_text())
    ]
    assert named == []
