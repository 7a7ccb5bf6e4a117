"""A Valkey of a test's own that is stopped and continued: it accepts, and never answers."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import current_app
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
