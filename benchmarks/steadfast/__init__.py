"""Whether the platform stays up: what one client, tenant or courier costs all the others.

Each module has `run() -> list[Figure]`.
"""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.figures import Figure
from benchmarks.inbox import execute
from couriers.models import Company


def run() -> list[Figure]:
    """Run every module of this package, by name; return the figures of all."""
    # Each numbers its companies from 0, as a run before this one did.
    execute(f"TRUNCATE {Company._meta.db_table} CASCADE")
    figures: list[Figure] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        figures += importlib.import_module(f"{__name__}.{module.name}").run()
    return figures
