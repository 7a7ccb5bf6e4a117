"""Real PostgreSQL and Valkey from pip wheels, for development, demos and tests.

Started, found again and stopped by the project; all their data is in one git-ignored folder and
nothing else on the machine is changed. Knows nothing of Django.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from shipcrowd.embedded import postgres, valkey
from shipcrowd.embedded.folder import EmbeddedError, Folder, Servers

__all__ = [
    "EmbeddedError",
    "Servers",
    "development_secret",
    "ensure",
    "remove",
    "restart",
    "session",
    "status",
    "stop",
    "throwaway",
]


def ensure(instance: str = "dev") -> Servers:
    """The running servers of an instance, started if need be.

    Safe to call from many processes at once, and after the last run was killed. Raises
    EmbeddedError, saying what to do, when they cannot be had.
    """
    folder = Folder(instance)
    if postgres.is_running(folder) and valkey.is_running(folder):
        return folder.servers()
    with folder.locked():
        postgres.ensure(folder)
        valkey.ensure(folder)
        return folder.servers()


def stop(instance: str = "dev") -> bool:
    """Stop both servers; returns whether any was running. The data stays."""
    folder = Folder(instance)
    with folder.locked():
        stopped = [postgres.stop(folder), valkey.stop(folder)]
        return any(stopped)


def remove(instance: str) -> None:
    """Stop both servers and delete their data: for an instance made to be thrown away."""
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
    """Which of the servers is running."""
    folder = Folder(instance)
    return {"postgres": postgres.is_running(folder), "valkey": valkey.is_running(folder)}


@contextmanager
def session(instance: str) -> Iterator[Servers]:
    """Use the servers for a while; the last of several users at once stops them.

    The users are counted by a lock that the system drops when a process dies.
    """
    folder = Folder(instance)
    with folder.in_use() as user:
        try:
            yield ensure(instance)
        finally:
            if user.is_last():
                stop(instance)


@contextmanager
def throwaway(name: str) -> Iterator[Servers]:
    """Servers of one's own for a while; their data is deleted at the end."""
    instance = f"{name}-{os.getpid()}"
    try:
        with session(instance) as servers:
            yield servers
    finally:
        remove(instance)


def development_secret(name: str) -> str:
    """A random secret that is made once and kept beside the data; never for production."""
    folder = Folder("secrets")
    with folder.locked():
        return folder.secret(name)
