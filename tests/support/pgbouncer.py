"""A real PgBouncer before the test servers' PostgreSQL, where the program is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
import pytest

from shipcrowd.embedded.processes import free_port, wait_until

# Debian's folder for daemons, which not every user has on the path.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = "pgbouncer is not installed (Debian: pgbouncer)"
CONFIGURATION = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
admin_users = {user}
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 2000
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A running PgBouncer: its URL is that of the database behind it."""

    url: str

    def show(self, what: str) -> list[dict[str, Any]]:
        """Return the rows of `SHOW what` of its console, such as clients or servers."""
        with self._console() as console:
            cursor = console.execute(f"SHOW {what}")
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def reconnect(self) -> None:
        """Have it replace its connections to PostgreSQL, each when it is not in use."""
        with self._console() as console:
            console.execute("RECONNECT")

    def _console(self) -> psycopg.Connection[Any]:
        url = urlunsplit(urlsplit(self.url)._replace(path="/pgbouncer"))
        return psycopg.connect(url, autocommit=True)


@contextmanager
def pgbouncer(
    database_url: str, *, pool_size: int, mode: str = "transaction"
) -> Iterator[PgBouncer]:
    """Run a PgBouncer before the database, with `pool_size` connections for all of its clients.

    Raises RuntimeError where the program is missing or does not start.
    """
    if PROGRAM is None:
        raise RuntimeError(MISSING)
    parts = urlsplit(database_url)
    user, password, port = parts.username or "", unquote(parts.password or ""), free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root it runs as another user, who reads its files
        users = folder / "users.txt"
        users.write_text(f'"{user}" "{password}"\n')
        (folder / "pgbouncer.ini").write_text(
            CONFIGURATION.format(
                host=parts.hostname, port=parts.port, own_port=port, users=users, user=user,
                mode=mode, pool_size=pool_size,
            )
        )  # fmt: skip
        unprivileged = ["-u", "nobody"] if os.geteuid() == 0 else []
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, *unprivileged, str(folder / "pgbouncer.ini")], stdout=log, stderr=log
            )
        try:
            address = f"{user}:{parts.password}@127.0.0.1:{port}"
            server = PgBouncer(urlunsplit(parts._replace(netloc=address)))
            if not wait_until(lambda: _answers(server), 20):
                raise RuntimeError(f"PgBouncer does not start: {(folder / 'log').read_text()}")
            yield server
        finally:
            process.kill()
            process.wait()


def _answers(server: PgBouncer) -> bool:
    try:
        return bool(server.show("version"))
    except psycopg.OperationalError:
        return False
