"""What the variables of the environment may be. A wrong one ends the process, before it serves.

The message has the variable's name and an example. A value that may hold a password is not shown.
An empty variable is one that is not set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, urlsplit

import psycopg
from redis import ConnectionPool
from redis.exceptions import RedisError

from shipcrowd.environment import Env, stop

TRUE = ("true", "on", "yes", "y", "ok", "1")
FALSE = ("false", "off", "no", "n", "0")
POSTGRESQL = ("postgres", "postgresql", "pgsql", "psql")
# Options of Django and psycopg, beside those of libpq.
_OF_DJANGO = (
    "assume_role", "isolation_level", "pool", "prepare_threshold", "server_side_binding",
)  # fmt: skip
_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_TOKEN = re.compile(r"[!-~]+")  # a header can carry it


class Variables(Env):
    """Reads the variables, each by what it may be."""

    def text(self, name: str, default: str = "") -> str:
        """Return any text."""
        return str(self.str(name, default="")) or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes or no."""
        value = self.text(name).strip().lower()
        if not value:
            return default
        if value not in TRUE + FALSE:
            wrong(name, f"is {value!r}: write true or false", "true")
        return value in TRUE

    def whole_number(self, name: str, *, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number within the bounds."""
        value = self.text(name).strip()
        if not value:
            return default
        digits = value.removeprefix("-")
        # Python also reads 1_0, and digits of other scripts.
        if not (digits.isascii() and digits.isdigit()) or not minimum <= int(value) <= maximum:
            problem = f"is {value!r}: write a whole number from {minimum} to {maximum}"
            wrong(name, problem, str(default))
        return int(value)

    def one_of(self, name: str, values: Sequence[str], *, default: str) -> str:
        """Return one of the values."""
        value = self.text(name, default)
        if value not in values:
            wrong(name, f"is {value!r}: write one of {', '.join(values)}", default)
        return value

    def host_names(self, name: str, *, default: Sequence[str]) -> list[str]:
        """Return a comma list of host names, without schemes and ports."""
        value = self.text(name)
        if not value:
            return list(default)
        hosts = [host.strip() for host in value.split(",") if host.strip()]
        if bad := [host for host in hosts if not _HOST.fullmatch(host)]:
            wrong(name, f"has {bad[0]!r}, which is no host name", "ship.example.com,localhost")
        if not hosts:
            wrong(name, "has no host name", "ship.example.com,localhost")
        return hosts

    def address(self, name: str, example: str, *, default: str = "") -> str:
        """Return an http or https URL without login, query and fragment, and without a slash."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return ""
        parts = _split(value)
        if (
            parts is None or parts.scheme not in ("http", "https") or not parts.hostname
            or parts.username or parts.query or parts.fragment or re.search(r"\s", value)
        ):  # fmt: skip
            wrong(name, "is not an http or https URL without login, query and fragment", example)
        return value

    def database_url(self, name: str) -> str:
        """Return the URL of a PostgreSQL database. It may have a folder of a socket as `?host=`."""
        value = self.text(name)
        parts = _split(value)
        if value and (
            parts is None or parts.scheme not in POSTGRESQL or not parts.path.strip("/")
            or not (parts.hostname or parse_qs(parts.query).get("host"))
        ):  # fmt: skip
            wrong(name, "is not the URL of a PostgreSQL database with its host and name",
                  "postgres://shipcrowd@postgres:5432/shipcrowd")  # fmt: skip
        if parts and (unknown := sorted(parse_qs(parts.query).keys() - _database_options())):
            # Every connection would fail, and the process would be alive and never ready.
            wrong(name, f"has an option that PostgreSQL does not have: {unknown[0]!r}",
                  "postgres://shipcrowd@postgres:5432/shipcrowd?sslmode=require")  # fmt: skip
        return value

    def redis_url(self, name: str) -> str:
        """Return the URL of a Redis or Valkey, with the number of the database as its path."""
        value = self.text(name)
        parts = _split(value)
        if value and (
            parts is None or parts.scheme not in ("redis", "rediss", "unix")
            or (parts.scheme != "unix" and not parts.hostname)
            or (parts.scheme != "unix" and not re.fullmatch(r"(/\d*)?", parts.path))
        ):  # fmt: skip
            wrong(name, "is not the URL of a Redis with its host", "redis://valkey:6379/0")
        if value:
            try:
                ConnectionPool.from_url(value).make_connection()  # without connecting it
            except (TypeError, ValueError, RedisError):
                wrong(name, "has an option that is none of a Redis, or has a wrong value",
                      "redis://valkey:6379/0?health_check_interval=30")  # fmt: skip
        return value

    def token(self, name: str) -> str:
        """Return a text that a header can carry: printable ASCII without spaces."""
        value = self.text(name)
        if value and not _TOKEN.fullmatch(value):
            wrong(name, "has spaces or characters beyond ASCII, which no header carries",
                  "the output of `openssl rand -hex 32`")  # fmt: skip
        return value

    def folder(self, name: str, default: str) -> Path:
        """Return the path of a folder, which need not exist; a file it may not be."""
        path = Path(self.text(name, default))
        if path.exists() and not path.is_dir():
            wrong(name, f"is {str(path)!r}, which is not a folder", "/var/lib/shipcrowd/media")
        return path

    def socket(self, name: str) -> str:
        """Return the path of a socket in a folder that can be written; "" where there is none."""
        value = self.text(name)
        if value and not (Path(value).is_absolute() and os.access(Path(value).parent, os.W_OK)):
            wrong(name, f"is {value!r}: its folder must exist and be writable",
                  "/run/shipcrowd/web.sock")  # fmt: skip
        return value


def wrong(name: str, problem: str, example: str) -> NoReturn:
    """End the process, naming a variable, what is wrong with it, and an example."""
    stop(f"{name} {problem}. For example: {name}={example}")


def missing(name: str, why: str, example: str) -> NoReturn:
    """End the process for a variable that is not set."""
    stop(f"{name} is not set, {why}. Set it, or {name}_FILE. For example: {name}={example}")


def _database_options() -> set[str]:
    """Return the names that may stand in the query of a database's URL."""
    options = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    return options | {*_OF_DJANGO, *Env._DB_BASE_OPTIONS}


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL, or None where it cannot be taken apart, as for a wrong port."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it raises ValueError
    except ValueError:
        return None
    return parts
