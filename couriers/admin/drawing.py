"""Charts with a line or a bar for each courier, each with a table of the same numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Each has a contrast of 3:1 or more with the page, light and dark. Lines differ by marks, too.
COLOURS = ("#7c3aed", "#0891b2", "#d97706", "#16a34a", "#db2777", "#64748b")
MARKS = ("circle", "triangle", "rect", "rectRot", "star", "cross")
TICKS = "#7c8493"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `rows` are the same numbers for a table: a time, then a value for each courier."""

    title: str
    meaning: str
    total: str
    kind: str
    data: str
    options: str
    couriers: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def draw(
    title: str,
    meaning: str,
    kind: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    total: float | None,
    suffix: str = "",
) -> Chart:
    """Return a chart of couriers' values by name, one for each label; None where there is none.

    `kind` is "bar" (stacked) or "line". `suffix` is written behind each value, and beside the axis
    of lines.
    """
    sets = [
        _dataset(name, values, number % len(COLOURS), kind)
        for number, (name, values) in enumerate(series.items())
    ]
    rows = [
        (label, [_text(values[place], suffix) for values in series.values()])
        for place, label in enumerate(labels)
    ]
    return Chart(
        title=title,
        meaning=meaning,
        total=_text(total, suffix),
        kind=kind,
        data=json.dumps({"labels": list(labels), "datasets": sets}),
        options=json.dumps(_options(kind, suffix)),
        couriers=list(series),
        rows=rows,
    )


def _text(value: float | None, suffix: str) -> str:
    return "-" if value is None else f"{value:,}{suffix}"


def _dataset(name: str, values: Sequence[float | None], number: int, kind: str) -> dict[str, Any]:
    colour = COLOURS[number]
    shared = {
        "label": name, "data": list(values), "backgroundColor": colour, "borderColor": colour,
    }  # fmt: skip
    if kind == "bar":
        return shared | {"maxBarThickness": 28, "borderRadius": 2}
    return shared | {
        "borderWidth": 2, "pointRadius": 4, "pointStyle": MARKS[number], "spanGaps": True,
        "tension": 0,
    }  # fmt: skip


def _options(kind: str, suffix: str) -> dict[str, Any]:
    """The options of chart.js, which cannot have functions here: no inline script may run."""
    stacked = kind == "bar"
    ticks = {"color": TICKS}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "plugins": {
            "legend": {
                "position": "bottom",
                "labels": {
                    "boxWidth": 10, "boxHeight": 10, "color": TICKS, "usePointStyle": not stacked,
                },
            }
        },
        "scales": {
            "x": {"stacked": stacked, "grid": {"display": False}, "ticks": ticks},
            "y": {
                "stacked": stacked, "beginAtZero": True, "suggestedMax": 5,
                "ticks": ticks | {"precision": 0}, "grid": {},
                "title": {"display": bool(suffix), "text": suffix.strip(), "color": TICKS},
            },
        },
    }  # fmt: skip
