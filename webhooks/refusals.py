"""Logs refused callbacks by sample: strangers may send as many as they like.

A process logs one of a courier and a reason, then none for QUIET seconds; the next line counts what
was left out. The metric counts each, and the tally those of an account.
"""

from __future__ import annotations

from couriers.contract.log_samples import Sampler
from couriers.contract.logs import get_logger

log = get_logger(__name__)

QUIET = 10.0  # seconds

_sampler = Sampler()


def log_sample(courier: str, reason: str, status: int) -> None:
    """Log the refusal unless another one was logged a moment ago. `courier` is a known code."""
    if count := _sampler.due((courier, reason), QUIET):
        log.warning("callback_refused", courier=courier, reason=reason, status=status, count=count)


def forget() -> None:
    """Have the next refusal logged, whatever was logged before."""
    _sampler.forget()
