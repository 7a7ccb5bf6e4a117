"""Reading the samples of /metrics."""

from __future__ import annotations

import re


def sample_value(text: str, name: str, **labels: str) -> float:
    """Return the sum of the samples with this name and these labels."""
    found = 0.0
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match and match[1] == name:
            given = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            if labels.items() <= given.items():
                found += float(match[3])
    return found
