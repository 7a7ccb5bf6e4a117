"""docs/writing-a-courier.md followed word for word: its commands are run and its files written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.worker import own_servers

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "writing-a-courier.md"
# A command, or the name of a file and its content.
STEP = re.compile(
    r"```console\n(?P<commands>.*?)```|^`(?P<name>[\w/.]+)`:\n\n```\w+\n(?P<content>.*?)```",
    re.DOTALL | re.MULTILINE,
)
PROGRAMS = {"django-admin": ["-m", "django"], "pytest": ["-m", "pytest", "-q"]}


def run(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of the guide with this Python; return what it printed."""
    program, *arguments = shlex.split(line)
    if program == "export":
        name, _, value = arguments[0].partition("=")
        environment[name] = value
        return ""
    done = subprocess.run(
        [sys.executable, *PROGRAMS[program], *arguments],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}: {done.stdout[-3000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.django_db
def test_the_guide_leads_from_nothing_to_a_plug_in_that_passes_the_kit(tmp_path: Path) -> None:
    servers = own_servers()
    environment = os.environ | {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    printed: list[str] = []
    written: dict[str, str] = {}
    for step in STEP.finditer(GUIDE.read_text()):
        if step["commands"]:
            lines = step["commands"].splitlines()
            printed += [run(line.removeprefix("$ "), tmp_path, environment) for line in lines]
        else:
            written[step["name"]] = step["content"]
            (tmp_path / step["name"]).write_text(step["content"])
    _export, laid_out, at_once, at_last = printed
    assert written["pyproject.toml"] in laid_out
    assert re.search(r"\d\d passed", at_once)
    assert re.search(r"\d\d passed", at_last)
    assert "failed" not in at_once + at_last
    assert {"couriers_acme/adapter.py", "couriers_acme/client.py"} <= set(written)


def test_the_guides_other_form_is_the_toy_couriers_own() -> None:
    toy = (ROOT / "couriers" / "testing" / "toy" / "adapter.py").read_text()
    (form,) = re.findall(
        r"```python\n(class ToyReservationAdapter.*?)```", GUIDE.read_text(), re.DOTALL
    )
    assert form.strip() in toy
