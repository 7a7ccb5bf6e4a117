"""The web server of `make demo`: waitress, one process that needs no proxy in front of it.

`python -m shipcrowd.demo_server FD [MODULE]` serves the WSGI application of the module at the
listening socket that it inherits as file descriptor FD. One thread reads and writes for all
connections, so that a slow client holds no thread of the application.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import resource
import signal
import socket
import sys
from typing import Any

from waitress import create_server

CONNECTIONS = 4000
SETTINGS: dict[str, Any] = {
    "threads": int(os.environ.get("WEB_THREADS", "64")),
    "connection_limit": CONNECTIONS,
    "asyncore_use_poll": True,  # select() takes 1,024 files
    # Seconds that a connection may be silent, whether it is kept or in the middle of a request:
    # longer than a load balancer keeps an idle one.
    "channel_timeout": 75,
    # The platform itself takes 5 MiB and says so in its own words; deploy/nginx has the same limit.
    "max_request_body_size": 6 * 1024 * 1024,
    "max_request_header_size": 32 * 1024,
    # No proxy stands in front, so no client is believed about its address.
    "clear_untrusted_proxy_headers": True,
}


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
    create_server(application, sockets=[listener], **SETTINGS).run()


def _allow_open_files(wanted: int) -> None:
    """Raise the limit of open files to `wanted`, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
