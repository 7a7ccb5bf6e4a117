"""`python -m benchmarks [NAME …]`: run the named benchmarks, or all, and print their figures.

A run of all also writes benchmarks/results.md, and the speeds of benchmarks/figures.json by which
`python -m benchmarks.simulate` lets a day pass. The plots are in benchmarks/plots/.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback
from typing import Any

import django

NAMES = (
    "statements", "floor", "ingest", "processing", "lists", "searches", "manifest", "purge",
    "latency", "comparing", "steadfast", "memory", "polling", "partitions", "footprint", "chaos",
    "limiter", "breaker", "bookings",
)  # fmt: skip


def main() -> int:
    """Run the benchmarks; return 1 if one misses its budget, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--note", default="", help="a line for results.md, such as what else ran")
    parser.add_argument(
        "--speeds", action="store_true", help="write the measured speeds into figures.json"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(NAMES)})")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    django.setup()
    from django.core.management import call_command

    from benchmarks import report, speeds

    call_command("migrate", verbosity=0)
    parts = []
    for name in options.names or NAMES:
        print(f"— {name}", flush=True)
        parts.append(_run(name))
    if not options.names:
        report.write(parts, options.note)
    if options.speeds or not options.names:
        left = speeds.write(parts)
        print(f"figures.json: speeds that this run did not measure: {', '.join(left) or 'none'}")
    report.print_table(parts)
    return int(any(one.met is False for part in parts for one in part.figures))


def _run(name: str) -> Any:
    """Run one benchmark. One that fails has missed its budgets, and stops no other."""
    from benchmarks.figures import Figure
    from benchmarks.report import Part

    started = time.monotonic()
    try:
        figures = importlib.import_module(f"benchmarks.{name}").run()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is reported as a figure
        traceback.print_exc()
        figures = [Figure(name, f"none: {type(error).__name__}", "a figure", met=False)]
    return Part(name, figures, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
