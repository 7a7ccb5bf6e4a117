"""Runs `manage.py check` in the host project, once for each module of settings that it is told.

It reads a module's name a line, and prints a line of JSON with the exit code and standard error.
Each check has a process of its own, forked from this one, which has imported what takes long and
knows no settings: half the time of a check that starts alone goes into those imports.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import tempfile

MODULES = (
    "celery.app", "celery.schedules", "cryptography.fernet", "django.core.management",
    "django.core.serializers.json", "django.db.models", "django.http", "django.template",
    "django.urls", "indian_pincode", "jsonschema", "phonenumbers", "psycopg", "pydantic", "pypdf",
    "redis.asyncio", "requests", "rich.progress", "stdnum.in_.gstin", "structlog",
)  # fmt: skip


def check(settings: str) -> tuple[int, str]:
    """Run the check in a forked process; return its exit code and what it printed as errors."""
    with tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if not child:
            os.dup2(errors.fileno(), sys.stderr.fileno())
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.argv = ["manage.py", "check", "--settings", settings]
            runpy.run_path("manage.py", run_name="__main__")
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        return os.waitstatus_to_exitcode(status), errors.read()


def main() -> None:
    """Answer each line of standard input."""
    sys.path[0] = os.getcwd()  # as for manage.py, in place of this script's folder
    for module in MODULES:
        importlib.import_module(module)
    for line in sys.stdin:
        code, printed = check(line.strip())
        sys.stdout.write(json.dumps({"code": code, "printed": printed}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
