"""The folder of an instance: where its data is, who may start it, and what is remembered of it."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from shipcrowd.embedded.processes import ServerProcess, wait_until

ENV_DIR = "SHIPCROWD_EMBEDDED_DIR"


class EmbeddedError(RuntimeError):
    """An embedded server cannot be had; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers of an instance are to be reached."""

    database_url: str
    redis_url: str


def base_folder() -> Path:
    """The folder of all instances: beside manage.py, or the user's state folder."""
    if given := os.environ.get(ENV_DIR):
        return Path(given).resolve()
    project = Path(__file__).resolve().parent.parent.parent
    if (project / "manage.py").is_file():
        return project / ".embedded"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "shipcrowd"


class Folder:
    """One instance's folder. Its state file is readable by its owner alone: it holds passwords."""

    def __init__(self, instance: str) -> None:
        if not re.fullmatch(r"[a-z0-9_-]{1,40}", instance):
            raise EmbeddedError(f"{instance!r} is not a name for an instance: use a-z, 0-9, - or _")
        self.instance = instance
        self.path = base_folder() / instance
        self._state = self.path / "state.json"

    def read(self) -> dict[str, Any]:
        """What was remembered; empty when there is nothing, or nothing whole."""
        try:
            state = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def remember(self, **values: Any) -> None:
        """Add to what is remembered, in one step. Call with the lock held."""
        state = self.read() | values
        fresh = self._state.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(state, file)
        fresh.replace(self._state)

    def server(self, name: str) -> ServerProcess:
        """The server that was last started."""
        return ServerProcess(**self.read().get(name, {}))

    def remember_server(self, name: str, server: ServerProcess) -> None:
        """Remember a server that was started. Call with the lock held."""
        self.remember(**{name: dataclasses.asdict(server)})

    def secret(self, name: str) -> str:
        """A random secret, made on first use. Call with the lock held."""
        known = self.read().get("secrets", {})
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self.remember(secrets=known)
        return str(known[name])

    def servers(self) -> Servers:
        """The URLs of the instance's servers."""
        state = self.read()
        try:
            database, redis = state["postgres"], state["valkey"]
            known = state["secrets"]
            return Servers(
                database_url=f"postgres://shipcrowd:{known['postgres']}"
                f"@127.0.0.1:{database['port']}/shipcrowd",
                redis_url=f"redis://:{known['valkey']}@127.0.0.1:{redis['port']}/0",
            )
        except KeyError as missing:
            raise EmbeddedError(
                f"{self._state} does not know {missing}: remove the folder and start again"
            ) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone in starting and stopping, among all processes."""
        with self._open("lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def in_use(self) -> Iterator[User]:
        """Counted among the instance's users for as long as this lasts."""
        with self._open("users.lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield User(file)

    def claim(self, server: str) -> IO[bytes]:
        """A file that the server inherits open: nobody else starts one on its data while it lives.

        That holds for a container with the same folder, too, which sees no process of ours.
        Raises EmbeddedError when a server has it, and has not ended within five seconds.
        """
        file = self._open(f"{server}.lock")
        if not wait_until(partial(_lock, file), 5):
            file.close()
            raise EmbeddedError(
                f"{server} is running on {self.path}, but not where it can be seen from here (in "
                f"another container?): stop it there, or set {ENV_DIR} to another folder"
            )
        return file

    def _open(self, name: str) -> IO[bytes]:
        self.path.mkdir(parents=True, exist_ok=True)
        return open(self.path / name, "ab")


class User:
    """One user of an instance."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def is_last(self) -> bool:
        """Whether nobody else uses the instance; it can't be joined until this user leaves."""
        return _lock(self._file)


def _lock(file: IO[bytes]) -> bool:
    """Whether the file could be locked at once for oneself alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
