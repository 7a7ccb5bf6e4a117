"""The web server of `make demo`: waitress, one process that needs no proxy in front of it.

`python -m shipcrowd.demo_server FD [MODULE]` serves the WSGI application of the module at the
listening socket that it inherits as file descriptor FD. One thread reads and writes for all
connections, so that a slow client holds no thread of the application.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

from shipcrowd.variables import Variables

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

CONNECTIONS = 4000
MIB = 1024 * 1024
# The platform itself takes 5 MiB, and 32 MiB of bulk requests, and says so in its own words;
# deploy/nginx has the same limits.
MAX_BODY = 6 * MIB
MAX_BULK_BODY = 33 * MIB
BULK_PATHS = ("/api/v1/shipments/bulk/", "/api/v1/shipments/bulk")
SETTINGS: dict[str, Any] = {
    "threads": Variables().whole_number("WEB_THREADS", default=64, minimum=1, maximum=1024),
    "connection_limit": CONNECTIONS,
    "asyncore_use_poll": True,  # select() takes 1,024 files
    # Seconds that a connection may be silent, whether it is kept or in the middle of a request:
    # longer than a load balancer keeps an idle one.
    "channel_timeout": 75,
    # Of the longest body that any path takes (BoundedParser).
    "max_request_body_size": MAX_BULK_BODY,
    "max_request_header_size": 32 * 1024,
    # No proxy stands in front, so no client is believed about its address.
    "clear_untrusted_proxy_headers": True,
}


class BoundedParser(HTTPRequestParser):
    """Refuses a body that is longer than its path takes, at once where its length is told."""

    error: Any = None

    def received(self, data: bytes) -> int:
        """Read a part of a request; return how many bytes were read."""
        consumed: int = super().received(data)
        length = max(self.content_length, self.body_bytes_received)
        if length > MAX_BODY and self.path not in BULK_PATHS:
            self.error = self.error or RequestEntityTooLarge(f"exceeds max_body of {MAX_BODY}")
            self.completed = True
        return consumed


class BoundedChannel(HTTPChannel):
    """A connection whose requests are read by BoundedParser."""

    parser_class = BoundedParser


def without_bodies_of_head(application: Application) -> Application:
    """Wrap a WSGI application: an answer to HEAD has the head of that to GET, and no body.

    waitress sends the body that it is given, which a client reads as its next answer.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "HEAD":
            return application(environ, start_response)
        started: list[Any] = []

        def start(*told: Any) -> Callable[[bytes], None]:
            started[:] = told
            return lambda _: None

        body = application(environ, start)
        try:
            length = sum(map(len, body))
        finally:
            getattr(body, "close", lambda: None)()
        status, headers, *error = started
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(length))]
        start_response(status, headers, *error)
        return ()

    return answer


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m shipcrowd.demo_server", description=__doc__)
    parser.add_argument("fd", type=int)
    parser.add_argument("module", nargs="?", default="shipcrowd.wsgi")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _allow_open_files(CONNECTIONS + 1000)
    # It warns of each request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    application = importlib.import_module(options.module).application
    listener = socket.socket(fileno=options.fd)
    server = create_server(without_bodies_of_head(application), sockets=[listener], **SETTINGS)
    server.channel_class = BoundedChannel
    server.run()


def _allow_open_files(wanted: int) -> None:
    """Raise the limit of open files to `wanted`, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
