"""Processes and ports: telling ours from others', waiting for them, ending them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number; None when it is not alive."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
        # No /proc (macOS): the start time as ps tells it.
        answer = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True
        ).stdout.split(maxsplit=1)
        return answer[1].strip() if len(answer) == 2 and answer[0][0] != "Z" else None
    return None if fields[0] in "ZX" else fields[19]


def is_ours(pid: int, known: str) -> bool:
    """Whether the process is the very one that was remembered, and alive."""
    return identity(pid) == known


def free_port() -> int:
    """A TCP port on loopback that is free now; somebody may still be quicker to take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def end(pid: int, known: str, signals: Sequence[signal.Signals], patience: float = 10) -> None:
    """End the remembered process, politely first: each signal gets `patience` seconds."""
    for number in signals:
        if not is_ours(pid, known):
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_ours(pid, known), patience):
            return


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
