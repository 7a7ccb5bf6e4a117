"""Reading docker-compose.yml as Docker does, and checking its settings where Docker is missing."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
# They take long to import, and none needs settings.
MODULES = (
    "celery.app", "celery.schedules", "cryptography.fernet", "django.core.management",
    "django.db.models", "django.http", "django.template", "indian_pincode", "phonenumbers",
    "psycopg", "pydantic", "pypdf", "redis.asyncio", "requests", "rich.progress", "structlog",
)  # fmt: skip


def read_compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return docker-compose.yml with the variables of .env.

    Raises KeyError for one that is missing, where the file says that it must be set.
    """

    def value(found: re.Match[str]) -> str:
        name, kind, word = found.groups()
        if given := variables.get(name):
            return given
        if kind == "?":
            raise KeyError(f"{name}: {word}")
        return word or ""

    text = (ROOT / "docker-compose.yml").read_text()
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    compose: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, "\n".join(lines)))
    return compose


def check_deploy(environments: list[dict[str, str]]) -> list[tuple[int, str]]:
    """Run `manage.py check --deploy` in each environment; return exit codes and what is printed.

    Each has a process of its own, forked from this module's, which has imported what takes long.
    """
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.compose"],
        input=json.dumps(environments), cwd=ROOT, env=clean, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return [(code, printed) for code, printed in json.loads(done.stdout)]


def _check(environment: dict[str, str]) -> tuple[int, str]:
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if not child:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(output.fileno(), stream.fileno())
            os.environ.update(environment)
            sys.argv = ["manage.py", "check", "--deploy"]
            runpy.run_path("manage.py", run_name="__main__")
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read()


def _main() -> None:
    for module in MODULES:
        __import__(module)
    json.dump([_check(environment) for environment in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    _main()
