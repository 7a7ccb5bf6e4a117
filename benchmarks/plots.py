"""The plots of a run, as PNG files in benchmarks/plots/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "plots"


def growth(name: str, title: str, rows: str, lines: Mapping[str, Mapping[int, float]]) -> None:
    """Draw milliseconds by the number of rows, a line for each name; both axes are logarithmic."""
    figure, axes = _axes(title, "milliseconds")
    for label, points in lines.items():
        axes.plot(list(points), list(points.values()), marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(rows)
    _save(figure, axes, name)


def latencies(name: str, title: str, bars: Mapping[str, Mapping[str, float]]) -> None:
    """Draw milliseconds as bars: a group for each name of the inner mappings."""
    figure, axes = _axes(title, "milliseconds")
    width = 0.8 / len(bars)
    for number, (label, values) in enumerate(bars.items()):
        places = [place + number * width for place in range(len(values))]
        drawn = axes.bar(places, list(values.values()), width, label=label)
        axes.bar_label(drawn, fmt="%.3g", fontsize=8)
    groups = list(next(iter(bars.values())))
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(groups))], groups)
    axes.tick_params(axis="x", labelsize=8)
    _save(figure, axes, name)


def shares(
    name: str, title: str, samples: Mapping[str, list[float]], budgets: Mapping[str, float]
) -> None:
    """Draw which share of the requests was answered within how many milliseconds.

    `budgets` are 95th percentiles, drawn as a cross in the colour of their line.
    """
    figure, axes = _axes(title, "share of the requests")
    for label, values in samples.items():
        times = sorted(values)
        share = [(number + 1) / len(times) for number in range(len(times))]
        (line,) = axes.step(times, share, where="post", label=label)
        if label in budgets:
            axes.plot(
                budgets[label], 0.95, "x", color=line.get_color(), markersize=10, clip_on=False
            )
    axes.set_xlabel("milliseconds (a cross: the budget of the 95th percentile)")
    _save(figure, axes, name)


def over_time(name: str, title: str, what: str, lines: Mapping[str, Mapping[float, float]]) -> None:
    """Draw values by another one, such as megabytes by requests."""
    figure, axes = _axes(title, "MB")
    for label, points in lines.items():
        axes.plot(list(points), list(points.values()), label=label)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(what)
    _save(figure, axes, name)


def _axes(title: str, unit: str) -> tuple[Figure, Axes]:
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    axes.set_title(title)
    axes.set_ylabel(unit)
    axes.grid(alpha=0.3)
    return figure, axes


def _save(figure: Figure, axes: Axes, name: str) -> None:
    axes.legend(fontsize=8)
    FOLDER.mkdir(exist_ok=True)
    # Without the version of matplotlib, so that the same figures make the same file.
    figure.savefig(FOLDER / f"{name}.png", dpi=110, metadata={"Software": None})
    pyplot.close(figure)
