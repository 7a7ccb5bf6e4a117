"""Servers that hang: they accept connections, and never answer.

A Valkey of a test's own is stopped and continued. PostgreSQL is the other tests', too, so a relay
in front of it stops passing on what is said.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest import mock

from celery import current_app
from django.db import connection, connections
from django.test import override_settings

from shipcrowd import settings as project
from shipcrowd.embedded.processes import accepts_connections, free_port, wait_until
from shipcrowd.embedded.valkey import find_binary


class OwnValkey:
    """A server that can be frozen."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url

    def freeze(self) -> None:
        """Stop the process: its port still accepts connections."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End the process: its port refuses connections."""
        self._process.kill()
        self._process.wait()

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def own_valkey(folder: Path) -> Iterator[OwnValkey]:
    """Run a Valkey that is the cache and the broker of the block, with the project's settings."""
    port = free_port()
    process = subprocess.Popen(
        [str(find_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
         "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    caches = {"default": project.CACHES["default"] | {"LOCATION": url}}
    conf = current_app.conf
    before = conf.broker_write_url
    try:
        assert wait_until(lambda: accepts_connections(port), 10)
        conf.broker_write_url = url
        with override_settings(CACHES=caches):
            yield OwnValkey(process, url)
    finally:
        conf.broker_write_url = before
        process.kill()
        process.wait()


class Relay:
    """Passes on what a client and a server say, unless it is frozen."""

    def __init__(self, listener: socket.socket, server: tuple[str, int]) -> None:
        self._listener = listener
        self.server = server
        self._passes = threading.Event()
        self._passes.set()
        self._sockets = ExitStack()
        self.port: int = listener.getsockname()[1]

    def freeze(self) -> None:
        """Pass on nothing more. Connections stay open, and new ones are accepted."""
        self._passes.clear()

    def thaw(self) -> None:
        """Pass on everything again."""
        self._passes.set()

    def accept(self) -> None:
        """Serve until the listener is closed."""
        with self._sockets, suppress(OSError):
            while True:
                client = self._sockets.enter_context(self._listener.accept()[0])
                server = self._sockets.enter_context(socket.create_connection(self.server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while said := source.recv(65536):
                self._passes.wait()
                target.sendall(said)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relayed_postgresql() -> Iterator[Relay]:
    """Have every connection that the block opens pass a relay."""
    settings = connection.settings_dict
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener, (settings["HOST"], int(settings["PORT"])))
        threading.Thread(target=relay.accept, daemon=True).start()
        connections.close_all()
        try:
            with mock.patch.dict(settings, HOST="127.0.0.1", PORT=str(relay.port)):
                yield relay
        finally:
            relay.thaw()
            connections.close_all()
            listener.shutdown(socket.SHUT_RDWR)
