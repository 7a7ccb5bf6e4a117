"""docs/install.md, word for word: each command and file, in one shell, with pip's own install."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.wheels import ROOT, Distributions, host_environment

PAGE = (ROOT / "docs" / "install.md").read_text()
BLOCKS = re.findall(r"```(console|python|json)\n(.*?)```", PAGE, re.DOTALL)
PORTS = (8765, 8766)
ENDED = {"delivered", "undelivered", "rto_delivered"}
SECONDS = 300
# A server that a command has started in the background is waited for, as a reader would.
LISTENING = "until (echo > /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.2; done"


def commands(block: str) -> list[str]:
    """The commands of a block, each as one text with its continued lines."""
    return [part.rstrip("\n") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def script() -> str:
    """A shell's script of the whole page: files are written where the page names them."""
    lines = ["set -e"]
    for kind, text in BLOCKS:
        if kind == "console":
            for command in commands(text):
                lines.append(command)
                if port := re.search(r"(?:--port|runserver) (\d+) &$", command):
                    lines.append(LISTENING.format(port=port[1]))
            continue
        name, text = ("order.json", text) if kind == "json" else text[2:].split("\n", 1)
        how = ">>" if name == "shop/settings.py" else ">"
        lines.append(f"cat {how} {name} <<'END-OF-FILE'\n{text}END-OF-FILE")
    last = commands(BLOCKS[-1][1])[-1]
    until = "|".join(f'"status":"{status}"' for status in sorted(ENDED))
    lines.append(f"until {last} > last.json && grep -qE '{until}' last.json; do sleep 1; done")
    return "\n".join(lines)


def test_the_page_has_at_most_fifteen_commands() -> None:
    assert 10 < sum(len(commands(text)) for kind, text in BLOCKS if kind == "console") <= 15


@pytest.mark.slow
def test_the_page_leads_to_a_parcel_that_callbacks_have_moved(
    distributions: Distributions, tmp_path: Path
) -> None:
    for port in PORTS:
        with socket.socket() as free:
            free.bind(("127.0.0.1", port))  # the page's ports must be free
    environment = host_environment() | {
        "PIP_FIND_LINKS": str(distributions.folder),
        "PIP_CONSTRAINT": str(constraints(distributions, tmp_path)),
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_QUIET": "1",
        "SHIPCROWD_EMBEDDED_DIR": str(tmp_path / "servers"),
    }
    for name in ("DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV"):
        environment.pop(name, None)
    folder = tmp_path / "work"
    folder.mkdir()
    log = tmp_path / "log"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            shell.communicate(script(), timeout=SECONDS)
        finally:
            # The servers that the page starts in the background are of the shell's group.
            os.killpg(shell.pid, signal.SIGTERM)
            stop_servers(folder, environment)
    assert shell.returncode == 0, log.read_text()[-3000:]
    (shipment,) = json.loads((folder / "last.json").read_text())["results"]
    assert shipment["status"] in ENDED
    assert shipment["tracking_url"] == f"http://127.0.0.1:8765/ship/track/{shipment['id']}/"


def constraints(distributions: Distributions, folder: Path) -> Path:
    """The project's constraints, and the versions of the wheels that were built."""
    found = folder / "constraints.txt"
    own = [
        f"{project.replace('_', '-')}=={distributions.wheel(project).name.split('-')[1]}"
        for project in ("shipcrowd", "shipcrowd_sandbox")
    ]
    found.write_text("\n".join([(ROOT / "constraints.txt").read_text(), *own]) + "\n")
    return found


def stop_servers(folder: Path, environment: dict[str, str]) -> None:
    python = folder / "venv" / "bin" / "python"
    if python.exists():
        subprocess.run(
            [str(python), "-m", "shipcrowd.embedded", "stop"],
            cwd=folder, env=environment, check=True, capture_output=True,
        )  # fmt: skip
