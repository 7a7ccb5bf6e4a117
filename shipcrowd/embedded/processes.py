"""Processes and ports: recognising a process, waiting for it, stopping it, finding a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


def start_time(pid: int) -> str | None:
    """Return when the process started, as opaque text, or None if it is not alive.

    The process id and this time together identify a process: the system reuses ids.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
        # macOS has no /proc; ps tells the start time too.
        answer = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True
        ).stdout.split(maxsplit=1)
        return answer[1].strip() if len(answer) == 2 and answer[0][0] != "Z" else None
    return None if fields[0] in "ZX" else fields[19]


def command_line(pid: int) -> str:
    """Return the process' arguments separated by spaces, or "" if it is not alive."""
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
    """Return a loopback TCP port that is free now; another process may take it meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    """Whether some process accepts connections on the loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; return False if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that this project started. With the default values: none was started.

    `started` is the process' start_time(). The fields are stored in the instance's state file.
    """

    pid: int = 0
    started: str | None = None
    port: int = 0

    @classmethod
    def of(cls, pid: int, port: int = 0) -> ServerProcess:
        """Return the record of the process that has this id now."""
        return cls(pid, start_time(pid), port)

    def is_alive(self) -> bool:
        """Whether this very process is alive, and not another with the same id."""
        return bool(self.pid and self.started) and start_time(self.pid) == self.started

    def is_running(self) -> bool:
        """Whether the process is alive and its port accepts connections."""
        return self.is_alive() and accepts_connections(self.port)

    def stop(self, signals: Sequence[signal.Signals], seconds: float = 10) -> bool:
        """Send one signal after the other until it ends, waiting `seconds` after each.

        Returns whether the process was alive.
        """
        if not self.is_alive():
            return False
        for number in signals:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            if wait_until(lambda: not self.is_alive(), seconds):
                break
        return True


def last_lines(log: Path, count: int = 5) -> str:
    """Return the last lines of a log file for an error message, "" if it cannot be read."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
