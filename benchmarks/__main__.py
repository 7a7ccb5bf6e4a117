"""`python -m benchmarks [NAME …]`: the project's figures, each printed by the run that made it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

import django

NAMES = ("limiter", "breaker", "bookings", "ingest", "processing", "purge")


def main() -> int:
    """Run the benchmarks that are named, or all; 1 when one misses its budget."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(NAMES)})")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    good = True
    for name in names:
        print(f"— {name}", flush=True)
        good &= importlib.import_module(f"benchmarks.{name}").run()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
