"""The platform and the toy courier need nothing of what the kit stands on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules["pytest"] = sys.modules["hypothesis"] = None
import django
django.setup()
import couriers
def fail(name): raise
for found in pkgutil.walk_packages(couriers.__path__, "couriers.", onerror=fail):
    if not found.name.startswith("couriers.testing.") or ".toy" in found.name:
        importlib.import_module(found.name)
assert "couriers.testing.toy.adapter" in sys.modules and "couriers.tasks" in sys.modules
"""


def test_the_platform_and_the_toy_courier_are_imported_without_pytest_and_hypothesis() -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "shipcrowd.settings",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
