"""CPU time and memory of processes of this machine, as the kernel counts them (psutil)."""

from __future__ import annotations

import psutil
from django.conf import settings
from django.db import connection


def seconds_of(pids: list[int]) -> float:
    """Return the CPU seconds that the processes have used so far, in the kernel and outside it."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [child.pid for child in psutil.Process(pid).children()]


def megabytes_of(pid: int) -> float:
    """Return the memory of a process that is in RAM, in megabytes (10^6 bytes)."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def backends_of(name: str) -> list[int]:
    """Return PostgreSQL's processes for the connections whose `application_name` is `name`.

    Empty where PostgreSQL is on another machine, whose CPU time cannot be seen from here.
    """
    host = settings.DATABASES["default"].get("HOST") or "/"
    if not host.startswith(("/", "127.0.0.1", "localhost")):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name])
        return [pid for (pid,) in cursor.fetchall()]
