"""nginx with the files that compose mounts, in front of a server that tells what it was sent."""

from __future__ import annotations

import http.client
import json
import os
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from couriers.api.problem_schema import KINDS
from shipcrowd.embedded.processes import accepts_connections, free_port, wait_until
from tests.support.nginx import needs_nginx

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("8080", "8443", "8081")  # http, https, inside
FORGED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "gopher"}

pytestmark = needs_nginx


class Upstream(socketserver.ThreadingUnixStreamServer):
    """Stands where gunicorn does, and answers with the request's headers."""

    daemon_threads = True


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def address_string(self) -> str:
        return "nginx"

    def log_message(self, *args: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class Proxy:
    """The ports that stand for those of the container, and the server behind."""

    ports: dict[str, int]
    upstream: Upstream

    def ask(self, port: str, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request; the answer's body must come whole."""
        connection: http.client.HTTPConnection
        if port == "8443":
            trusting = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(
                "localhost", self.ports[port], timeout=10, context=trusting
            )
        else:
            connection = http.client.HTTPConnection("localhost", self.ports[port], timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=FORGED | names)
        answer = connection.getresponse()
        read = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return read


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    ports = {port: free_port() for port in PORTS}
    for file in (ROOT / "deploy" / "nginx").glob("*.conf"):
        text = file.read_text().replace("/run/tls", str(folder))
        text = text.replace("/run/shipcrowd", str(folder))
        for port, free in ports.items():
            text = text.replace(f"listen {port}", f"listen 127.0.0.1:{free}")
        (folder / file.name).write_text(text)
    command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
    user = "user root;" if os.geteuid() == 0 else ""
    with (
        Upstream(str(folder / "web.sock"), Echo) as upstream,
        subprocess.Popen([*command, "-g", f"daemon off; {user}"]) as process,
    ):
        threading.Thread(target=upstream.serve_forever, args=(0.02,), daemon=True).start()
        assert wait_until(lambda: all(map(accepts_connections, ports.values())), 10)
        yield Proxy(ports, upstream)
        upstream.shutdown()
        process.terminate()


def test_http_leads_to_https_by_the_same_method(proxy: Proxy) -> None:
    answer = proxy.ask("8080", "/api/v1/shipments/?page_size=2", "POST", Content_Length="0")
    assert answer.status == 308
    assert answer.headers["Location"] == "https://localhost/api/v1/shipments/?page_size=2"


def test_a_probe_is_answered_by_http(proxy: Proxy) -> None:
    for path in ("/healthz", "/readyz/"):
        answer = proxy.ask("8080", path)
        assert (answer.status, json.loads(answer.body)["x-forwarded-proto"]) == (200, "http")


def test_a_client_chooses_neither_its_address_nor_its_scheme(proxy: Proxy) -> None:
    sent = json.loads(proxy.ask("8443", "/api/v1/shipments/").body)
    assert sent["x-forwarded-for"] == "127.0.0.1"
    assert sent["x-forwarded-proto"] == "https"
    assert sent["host"] == f"localhost:{proxy.ports['8443']}"
    assert sent["connection"] == "close"


def test_metrics_are_served_inside_alone(proxy: Proxy) -> None:
    for path in ("/metrics", "/metrics/", "//metrics", "/x/../metrics", "/%6detrics"):
        assert proxy.ask("8443", path).status == 404
    inside = proxy.ask("8081", "/metrics", Authorization="Bearer token")
    sent = json.loads(inside.body)
    assert (sent["host"], sent["authorization"]) == ("localhost", "Bearer token")
    assert proxy.ask("8081", "/api/v1/shipments/").status == 404


def test_a_body_that_is_too_long_is_a_problem_of_the_api(proxy: Proxy) -> None:
    for path, length in (("/api/v1/shipments/", 7 * 1024**2), ("/webhooks/x/y/", 200 * 1024)):
        answer = proxy.ask("8443", path, "POST", Content_Length=str(length))
        assert answer.status == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = json.loads(answer.body)
        assert problem["type"].removeprefix("/problems/") in KINDS
        assert problem["status"] == 413


def test_a_platform_without_an_answer_is_a_problem_of_the_api(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy.upstream, "process_request", lambda s, _: s.close())
    answer = proxy.ask("8443", "/api/v1/shipments/")
    assert (answer.status, answer.headers["Retry-After"]) == (502, "2")
    problem = json.loads(answer.body)
    assert problem["type"].removeprefix("/problems/") in KINDS
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_web_server_that_is_away_is_passed_over(proxy: Proxy) -> None:
    # Of the two sockets of site.conf only the first is there.
    answers = [
        proxy.ask("8443", "/api/v1/shipments/", "POST", Content_Length="0") for _ in range(6)
    ]
    assert [answer.status for answer in answers] == [200] * 6


def test_a_request_that_was_sent_is_not_sent_to_the_other_web_server(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def die(handler: Echo) -> None:
        asked.append(handler.path)
        handler.connection.close()

    monkeypatch.setattr(Echo, "do_POST", die)
    with Upstream(
        f"{proxy.upstream.server_address}".replace("web.sock", "web-2.sock"), Echo
    ) as two:
        threading.Thread(target=two.serve_forever, args=(0.02,), daemon=True).start()
        answer = proxy.ask("8443", "/api/v1/shipments/", "POST", Content_Length="0")
        two.shutdown()
    Path(str(two.server_address)).unlink()
    assert (answer.status, len(asked)) == (502, 1)
