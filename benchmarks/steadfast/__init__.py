"""Whether the platform stays up: what one client, tenant or courier costs all the others.

Each module has `run() -> bool`, which prints its figures and returns whether its budget holds.
"""

from __future__ import annotations

import importlib
import pkgutil


def run() -> bool:
    """Run every module of this package, by name; return whether all budgets hold."""
    passed = True
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        print(f"· {module.name.replace('_', ' ')}", flush=True)
        passed &= importlib.import_module(f"{__name__}.{module.name}").run()
    return passed
