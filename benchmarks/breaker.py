"""The circuit breaker: eight processes ask an open circuit for the one probe that it allows."""

from __future__ import annotations

import time
import uuid

from benchmarks.figures import Figure
from benchmarks.processes import run_in_processes
from couriers.conf import tunables
from couriers.contract.errors import CircuitOpen
from couriers.resilience.circuit_breaker import CircuitBreaker

PROCESSES = 8


def count_probes(processes: int = PROCESSES, seconds: float = 1.0) -> tuple[int, int]:
    """Open a circuit, wait for its cool-down, and let all processes ask for `seconds`.

    Returns how many calls were allowed and how many were asked for. The allowed one never ends.
    """
    name = f"bench:{uuid.uuid4().hex}"
    breaker = CircuitBreaker(name)
    for _ in range(tunables().BREAKER_FAILURES):
        breaker.before_call()
        breaker.record_failure()
    time.sleep(tunables().BREAKER_COOLDOWN)

    def work() -> tuple[int, int]:
        own_breaker = CircuitBreaker(name)
        allowed = asked = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked += 1
            try:
                own_breaker.before_call()
            except CircuitOpen:
                continue
            allowed += 1
        return allowed, asked

    answers = run_in_processes(processes, work)
    breaker.reset()
    return sum(allowed for allowed, _ in answers), sum(asked for _, asked in answers)


def run() -> list[Figure]:
    """Count the probes that are allowed."""
    from django.test import override_settings

    with override_settings(SHIPCROWD={"BREAKER_COOLDOWN": 2.0}):
        allowed, asked = count_probes()
    what = f"circuit breaker: probes allowed to {PROCESSES} processes that asked {asked:,} times"
    return [Figure(what, str(allowed), "1", allowed == 1)]
