"""Processes and ports: telling ours from others', waiting for them, ending them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


def arguments(pid: int) -> str:
    """What the process was started with, between spaces; "" when it is not alive."""
    if Path("/proc/self/cmdline").exists():
        try:
            given = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(given).replace("\x00", " ").strip()
    return subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()


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


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that we started: its process, what tells that from a later one, and its port.

    Without a process it stands for a server that was never started.
    """

    pid: int = 0
    started: str | None = None
    port: int = 0

    @classmethod
    def of(cls, pid: int, port: int = 0) -> ServerProcess:
        """The process that has this number now."""
        return cls(pid, identity(pid), port)

    def is_alive(self) -> bool:
        """Whether it is the very process that was remembered, and alive."""
        return bool(self.pid and self.started) and identity(self.pid) == self.started

    def is_running(self) -> bool:
        """Whether it is alive and takes connections."""
        return self.is_alive() and answers(self.port)

    def end(self, signals: Sequence[signal.Signals], patience: float = 10) -> bool:
        """End it, politely first: each signal gets `patience` seconds. Says whether it lived."""
        if not self.is_alive():
            return False
        for number in signals:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            if wait_until(lambda: not self.is_alive(), patience):
                break
        return True


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
