"""Lines about a collector or a Sentry that is away: one a minute of a process, and no others."""

from __future__ import annotations

from typing import Any

from couriers.contract.log_samples import Sampler

QUIET = 60.0  # seconds

_sampler = Sampler()


def log_not_reached(log: Any, event: str, **facts: str) -> None:
    """Log the event as a warning unless it was logged less than QUIET seconds ago."""
    if count := _sampler.due(event, QUIET):
        log.warning(event, count=count, **facts)
