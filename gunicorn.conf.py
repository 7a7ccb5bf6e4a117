"""The settings of gunicorn, which reads this file from its working directory.

`gunicorn shipcrowd.wsgi` is the whole command. nginx stands in front of it (deploy/nginx), because
a thread that reads from a slow client is lost to all others meanwhile.
"""

import os
from pathlib import Path
from typing import Any

from shipcrowd.multiprocess import remove_stale_files

# The socket that nginx connects to. Without one, gunicorn listens at its own default, a port of
# loopback. Only the group of the socket's owner may connect.
if web_socket := os.environ.get("WEB_SOCKET"):
    bind = f"unix:{web_socket}"
umask = 0o007

# A thread is held for as long as a courier takes to answer.
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "64"))  # the setting of this name reads it, too
# The application is loaded once and forked: workers share its memory and restart at once.
preload_app = True

# Seconds that a kept connection may be idle: longer than a load balancer keeps its own, or it
# would send requests into connections that are being closed. nginx keeps none open.
keepalive = 75
# Seconds for requests under way when it stops. A booking has ended by then (BOOKING_LEASE).
graceful_timeout = 160


def on_starting(server: Any) -> None:
    """Remove the metrics of earlier processes before the first worker starts."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        remove_stale_files(Path(folder))
