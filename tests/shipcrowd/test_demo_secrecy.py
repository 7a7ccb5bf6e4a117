"""A full demo, read by each role: no page and no export has a secret, or a phone too many."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.support.demo import ROOT, running_demo

MAY_EXPORT = {"Support": False, "Operations": False, "Finance": True, "Administrator": True}


@pytest.mark.slow
def test_no_role_reads_a_secret_or_a_phone_without_the_permission_in_a_full_demo() -> None:
    with running_demo() as demo:
        key = re.search(r"Api-Key (\S+?)\)", demo.output)
        assert key, demo.output
        run = subprocess.run(
            [sys.executable, "-m", "tests.support.role_crawl"],
            cwd=ROOT, capture_output=True, text=True,
            env=demo.environment | {
                "DJANGO_SETTINGS_MODULE": "shipcrowd.settings", "API_KEYS": key[1],
            },
        )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert found.keys() == MAY_EXPORT.keys()
    for role, result in found.items():
        assert result["leaks"] == [], role
        assert result["pages"] > 90, role
        assert bool(result["exports"]) == MAY_EXPORT[role], role
        # Without these the search would prove nothing.
        assert result["secrets"] >= 2
        assert result["personal"] > 20
