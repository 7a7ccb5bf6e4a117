"""The environment of the settings: a value may stand in a file, which NAME_FILE names.

Secrets reach containers as files, since a process' environment is shown by many tools.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit, urlunsplit

import environ

SUFFIX = "_FILE"


class EnvironmentWithFiles(MutableMapping[str, str]):
    """os.environ, where NAME is read from the file that NAME_FILE names.

    Both at once end the process, and so does a file that cannot be read: neither may be guessed.
    """

    def __getitem__(self, name: str) -> str:
        file = os.environ.get(name + SUFFIX)
        if not file:
            return os.environ[name]
        if os.environ.get(name):
            stop(f"{name} and {name}{SUFFIX} are both set: leave one of them out")
        try:
            return Path(file).read_text().removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            example = f"{name}{SUFFIX}=/run/secrets/{name.lower()}"
            stop(f"{name}{SUFFIX} cannot be read: {error}. For example: {example}")

    def __setitem__(self, name: str, value: str) -> None:
        os.environ[name] = value

    def __delitem__(self, name: str) -> None:
        del os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


class Env(environ.Env):
    """django-environ with values from files."""

    ENVIRON = EnvironmentWithFiles()


def with_password(url: str, password: str) -> str:
    """Return the URL with the password; as it is where it has one, or where there is none."""
    parts = urlsplit(url)
    if not password or not parts.hostname or parts.password:
        return url
    user = parts.username or ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def stop(message: str) -> NoReturn:
    """End the process with the message alone, whatever loads the settings."""
    sys.stderr.write(f"{message}\n")
    sys.exit(2)
