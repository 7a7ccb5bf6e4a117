"""The settings of gunicorn, which reads this file from its working directory.

`gunicorn shipcrowd.wsgi` is the whole command. nginx stands in front of it (deploy/nginx), because
a thread that reads from a slow client is lost to all others meanwhile.
"""

import os
import select
from pathlib import Path
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from shipcrowd.logs import LEVELS, logging_config
from shipcrowd.multiprocess import VARIABLE, fold_ended_processes, prepare_folder
from shipcrowd.variables import Variables

# The socket that nginx connects to, or a port of loopback: by itself gunicorn listens to everybody
# where a platform sets PORT. Only the group of the socket's owner may connect.
env = Variables()
web_socket = env.socket("WEB_SOCKET")
bind = f"unix:{web_socket}" if web_socket else "127.0.0.1:8000"
umask = 0o007


class DrainingWorker(ThreadWorker):
    """Answers all that connected before it was told to stop.

    gunicorn removes its socket first, so that nginx asks the other web server. What had connected
    by then and was not accepted yet would be closed without an answer.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept what waits before accepting ends for good."""
        if not enabled and not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)


# A thread is held for as long as a courier takes to answer.
worker_class = DrainingWorker
workers = env.whole_number("WEB_WORKERS", default=2, minimum=1, maximum=1024)
# The setting of this name reads it, too.
threads = env.whole_number("WEB_THREADS", default=64, minimum=1, maximum=1024)
# gunicorn's own lines are JSON as all others are. As DEBUG it would write the path of each request.
_level = env.one_of("LOG_LEVEL", LEVELS, default="INFO")
_own_level = "INFO" if _level == "DEBUG" else _level
logconfig_dict = logging_config(_level) | {
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "level": _own_level, "propagate": False}}
}
# The application is loaded once and forked: workers share its memory and restart at once.
preload_app = True

# Seconds that a kept connection may be idle: longer than a load balancer keeps its own, or it
# would send requests into connections that are being closed. nginx keeps none open.
keepalive = 75
# Seconds for requests under way when it stops. A booking has ended by then (BOOKING_LEASE).
graceful_timeout = 160


def on_starting(server: Any) -> None:
    """Add up the metrics of earlier processes before the first worker starts."""
    prepare_folder()
    if folder := os.environ.get(VARIABLE):
        fold_ended_processes(Path(folder))
