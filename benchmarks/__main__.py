"""`python -m benchmarks [NAME …]`: run the named benchmarks, or all, and print their figures."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

import django

NAMES = ("limiter", "breaker", "bookings", "ingest", "processing", "polling", "purge", "steadfast")


def main() -> int:
    """Run the benchmarks; return 1 if one misses its budget, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(NAMES)})")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    passed = True
    for name in names:
        print(f"— {name}", flush=True)
        passed &= importlib.import_module(f"benchmarks.{name}").run()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
