"""A web server that is told to stop answers all that had connected by then."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shipcrowd.embedded.processes import wait_until
from tests.support.compose import ROOT
from tests.support.worker import forks_of

CLIENTS = 20
# A module of its own, so that nothing but gunicorn and its settings has to be loaded.
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def connect(web_socket: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(web_socket))
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    return client


def read(client: socket.socket) -> bytes:
    """Return the answer; empty if the connection was closed without one."""
    with client:
        try:
            return b"".join(iter(lambda: client.recv(1000), b""))
        except ConnectionError:
            return b""


def test_what_had_connected_before_the_end_is_answered(tmp_path: Path) -> None:
    web_socket = tmp_path / "web.sock"
    (tmp_path / "tiny.py").write_text(APPLICATION)
    environment = os.environ | {
        "WEB_SOCKET": str(web_socket), "WEB_WORKERS": "1", "WEB_THREADS": "4",
        "PYTHONPATH": f"{tmp_path}:{ROOT}", "PROMETHEUS_MULTIPROC_DIR": "",
    }  # fmt: skip
    command = ["-m", "gunicorn", "tiny", "-c", "gunicorn.conf.py", "--log-level", "warning"]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment) as web:
        assert wait_until(lambda: web_socket.exists() and forks_of(web.pid), 20)
        assert read(connect(web_socket)).endswith(b"ok")
        (worker,) = forks_of(web.pid)
        os.kill(worker, signal.SIGSTOP)
        clients = [connect(web_socket) for _ in range(CLIENTS)]
        web.terminate()
        assert wait_until(lambda: not web_socket.exists(), 20)
        os.kill(worker, signal.SIGCONT)
        with ThreadPoolExecutor(CLIENTS) as threads:
            answers = list(threads.map(read, clients))
        assert [answer[-2:] for answer in answers] == [b"ok"] * CLIENTS
        assert web.wait(20) == 0
