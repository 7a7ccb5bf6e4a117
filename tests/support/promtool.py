"""Prometheus for tests, skipped by name where it is missing, and what our files ask of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
DASHBOARD = MONITORING / "grafana" / "shipcrowd.json"
# Made by Prometheus itself.
OF_PROMETHEUS = {"ALERTS", "up"}
_NO_METRICS = re.compile(
    r'"[^"]*"'  # texts
    r"|\{[^}]*\}|\[[^\]]*\]"  # labels, ranges
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    r"|\b\w+\s*(?=\()"  # functions
    r"|\b(?:or|and|unless|bool|offset)\b"
)

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed (Debian: prometheus)"
)


def rules() -> list[dict[str, Any]]:
    """The rules of all groups of alerts.yml."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard that are no rows."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """The queries of the dashboard, each with the title of its panel."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def metrics_of(expression: str) -> set[str]:
    """The names of the metrics that a PromQL expression reads."""
    text = re.sub(r"(?<=\[)\$\w+(?=\])", "1m", expression)
    while (shorter := _NO_METRICS.sub(" ", text)) != text:
        text = shorter
    return set(re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*", text)) - OF_PROMETHEUS


def promtool(*arguments: str) -> str:
    """Run promtool beside our files and return what it prints. Fails if its exit code is not 0."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed
