"""Replacing the speeds of benchmarks/figures.json, by which the day is simulated."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Part
from benchmarks.simulate import FIGURES


def write(parts: Sequence[Part], path: Path = FIGURES) -> list[str]:
    """Write what was measured of the speeds, with its source; return the names of the others.

    Raises KeyError for a speed that the file does not know.
    """
    figures = json.loads(path.read_text())
    speeds = figures["speeds"]
    measured = {
        name: (part.name, value)
        for part in parts
        for name, value in (one.speed for one in part.figures if one.speed is not None)
    }
    for name, (benchmark, value) in measured.items():
        source = f"`make bench ARGS={benchmark}`, {dt.datetime.now(dt.UTC):%d %B %Y}"
        speeds[name] = speeds[name] | {
            "value": float(f"{value:.4g}"), "source": f"{source}, {os.cpu_count()} cores",
        }  # fmt: skip
    path.write_text(text_of(figures))
    return sorted(speeds.keys() - measured.keys())


def text_of(figures: dict[str, Any]) -> str:
    """Return the file's text, with a line for each entry of a section."""
    sections = []
    for name, entries in figures.items():
        if isinstance(entries, dict):
            lines = [f"{json.dumps(key)}: {json.dumps(one)}" for key, one in entries.items()]
            opening, closing = "{", "}"
        else:
            lines, opening, closing = [json.dumps(one) for one in entries], "[", "]"
        inner = ",\n".join(f"    {line}" for line in lines)
        sections.append(f"  {json.dumps(name)}: {opening}\n{inner}\n  {closing}")
    return "{\n" + ",\n".join(sections) + "\n}\n"
