"""The circuit breaker: eight processes that wait for an open circuit to let a probe through."""

from __future__ import annotations

import time
import uuid

from benchmarks.processes import at_once
from couriers.conf import tunables
from couriers.contract.errors import CircuitOpen
from couriers.resilience.circuit_breaker import CircuitBreaker

PROCESSES = 8


def probes(processes: int = PROCESSES, seconds: float = 1.0) -> tuple[int, int]:
    """Open a circuit that has cooled down and have all processes ask at once, again and again.

    Answers how many were let through, and how many asked. The probe never ends meanwhile.
    """
    name = f"bench:{uuid.uuid4().hex}"
    breaker = CircuitBreaker(name)
    for _ in range(tunables().BREAKER_FAILURES):
        breaker.before_call()
        breaker.record_failure()
    time.sleep(tunables().BREAKER_COOLDOWN)

    def work() -> tuple[int, int]:
        mine = CircuitBreaker(name)
        through = asked = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked += 1
            try:
                mine.before_call()
            except CircuitOpen:
                continue
            through += 1
        return through, asked

    answers = at_once(processes, work)
    breaker.reset()
    return sum(through for through, _ in answers), sum(asked for _, asked in answers)


def run() -> bool:
    """Print how many probes came through; one is right."""
    from django.test import override_settings

    with override_settings(SHIPCROWD={"BREAKER_COOLDOWN": 2.0}):
        through, asked = probes()
    print(f"breaker: {PROCESSES} processes asked {asked} times, {through} probe came through (1)")
    return through == 1
