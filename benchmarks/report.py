"""The table of a run, as it is printed and as it is kept in benchmarks/results.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import django_redis
from django.db import connection
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure
from benchmarks.plots import FOLDER

RESULTS = Path(__file__).parent / "results.md"
TITLES = ("What", "Figure", "Budget", "")


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one benchmark, and the seconds that it took."""

    name: str
    figures: Sequence[Figure]
    seconds: float


def print_table(parts: Sequence[Part]) -> None:
    """Print the figures of all parts with their budgets."""
    table = Table(*TITLES)
    for part in parts:
        for one in part.figures:
            style = "red" if one.met is False else None
            table.add_row(one.what, one.figure, one.budget, one.verdict, style=style)
        table.add_section()
    Console(width=None if os.isatty(1) else 160).print(table)
    print(_verdict(parts))


def write(parts: Sequence[Part], note: str) -> None:
    """Write the results with the machine they are from; `note` says what else ran there."""
    lines = [
        "# Figures",
        "",
        f"Written by `make bench` on {dt.datetime.now(dt.UTC):%d %B %Y}; each ratio was measured "
        "within this run. A",
        "figure without a budget tells what the one above it is made of.",
        "",
        *(f"- {name}: {value}" for name, value in _machine().items()),
        *([f"- {note}"] if note else []),
        "",
        f"**{_verdict(parts)}**",
        "",
    ]
    for part in parts:
        lines += [f"## {part.name} ({part.seconds:.0f} s)", "", "| " + " | ".join(TITLES) + " |"]
        lines += ["|---|---|---|---|", *(_row(one) for one in part.figures), ""]
    lines += ["## Plots", ""]
    lines += [f"![{path.stem}](plots/{path.name})" for path in sorted(FOLDER.glob("*.png"))]
    RESULTS.write_text("\n".join(lines) + "\n")


def _row(one: Figure) -> str:
    verdict = f"**{one.verdict}**" if one.met is False else one.verdict
    cells = (one.what, one.figure, one.budget, verdict)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _verdict(parts: Sequence[Part]) -> str:
    held = [one for part in parts for one in part.figures if one.met is not None]
    missed = sum(not one.met for one in held)
    return f"{len(held) - missed} of {len(held)} budgets are met, {missed} are NOT MET."


def _machine() -> Mapping[str, str]:
    """Return what the figures depend on, without the machine's name."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgresql,) = cursor.fetchone()
    server = django_redis.get_redis_connection("default").info("server")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "cores": f"{os.cpu_count()} ({platform.machine()})",
        "Python": platform.python_version(),
        "PostgreSQL": str(postgresql),
        "Valkey": str(server.get("valkey_version") or server.get("redis_version")),
        "load of the last 1, 5 and 15 minutes at the end": load,
    }
