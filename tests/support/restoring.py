"""The commands of docs/deployment.md for backup and restore, run on this machine's servers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shipcrowd.embedded import Servers
from shipcrowd.embedded.postgres import find_binaries
from tests.support.compose import ROOT

COMMAND = re.compile(r"docker compose (?:exec -T|run --rm -T --no-deps) \w+ (?P<rest>.+)")


def run_documented(heading: str, folder: Path, servers: Servers) -> list[str]:
    """Run the commands in the first block below the heading, each in compose's container.

    The container is this machine with the given PostgreSQL; its /app and the working directory are
    the folder. Returns the programs that were run.
    """
    page = (ROOT / "docs" / "deployment.md").read_text()
    found = re.search(rf"^### {heading}$.*?```sh\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    assert found, heading
    url = urlsplit(servers.database_url)
    environment = {
        "PATH": f"{find_binaries()}:{os.environ['PATH']}",
        "PGHOST": url.hostname or "",
        "PGPORT": str(url.port),
        "PGPASSWORD": unquote(url.password or ""),
    }
    programs = []
    for line in found[1].replace("\\\n", " ").splitlines():
        command = COMMAND.match(line)
        if command is None:
            assert line.startswith("docker compose "), line  # starts and stops containers
            continue
        # The database of a test has another name.
        rest = re.sub(r"(?<= )shipcrowd(?= [<>]| -c|$)", url.path[1:], command["rest"])
        done = subprocess.run(
            rest.replace("/app", str(folder)), shell=True, cwd=folder, env=environment,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{rest}: {done.stderr}"
        programs.append(rest.split()[0])
    return programs
