"""A real Prometheus on loopback, with the configuration and alerts of monitoring/."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from shipcrowd.embedded.processes import wait_until
from tests.support.promtool import MONITORING

# Seconds between two scrapes, in the place of 15, and what an alert's `for` is.
EVERY, LASTING = "1s", "2s"


class Prometheus:
    """Prometheus as long as the `with` block lasts, which scrapes `targets` with the token.

    The files are those of monitoring/, with shorter times and the given targets.
    """

    def __init__(self, folder: Path, targets: Sequence[str], token: str) -> None:
        self._folder = folder
        self.port = _free_port()
        (folder / "token").write_text(token)
        (folder / "alerts.yml").write_text(yaml.safe_dump(_hasty_alerts()))
        config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        config["global"] |= {"scrape_interval": EVERY, "evaluation_interval": EVERY}
        (job,) = config["scrape_configs"]
        job |= {"scrape_timeout": EVERY, "static_configs": [{"targets": list(targets)}]}
        job["authorization"]["credentials_file"] = str(folder / "token")
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def __enter__(self) -> Prometheus:
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={self._folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={self._folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
        )  # fmt: skip
        if not wait_until(self._is_ready, 60):
            self._stop()
            raise RuntimeError("Prometheus does not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def query(self, expression: str) -> list[float]:
        """Return the values of a query that are numbers. Raises HTTPError for a wrong query."""
        found = self._ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        values = [float(series["value"][1]) for series in found["data"]["result"]]
        return [value for value in values if not math.isnan(value)]

    def firing(self) -> list[dict[str, Any]]:
        """The alerts that fire, with their labels and annotations."""
        alerts = self._ask("/api/v1/alerts")["data"]["alerts"]
        return [alert for alert in alerts if alert["state"] == "firing"]

    def _is_ready(self) -> bool:
        with suppress(OSError):
            self._get("/-/ready")
            return True
        return False

    def _ask(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._get(path))
        return answer

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return bytes(answer.read())

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _hasty_alerts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    for group in found["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = LASTING
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
