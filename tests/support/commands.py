"""Running management commands."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command


def run_command(*arguments: str, code: int = 0) -> str:
    """Run a command, which must end with the exit code; return its output."""
    out = io.StringIO()
    if code:
        with pytest.raises(SystemExit) as caught:
            call_command(*arguments, stdout=out)
        assert caught.value.code == code
    else:
        call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a command with --json; return the object that it prints."""
    return dict(json.loads(run_command(*arguments, "--json", code=code)))
