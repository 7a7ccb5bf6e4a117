"""Checks of tunables that a project has set: what is wrong with each, and what is used instead."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.checks import CheckMessage, Error

from couriers.conf.declaring import BOUNDS, HIDDEN, MAX_VALUE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TunableProblem:
    """A problem of a dict of tunables. `key` is "" where the value is not a dict."""

    key: str
    message: str
    is_unknown_key: bool = False


def tunable_problems(kind: type, given: Any) -> list[TunableProblem]:
    """Check a dict of tunables against the dataclass `kind`; return every problem."""
    if not isinstance(given, dict):
        return [TunableProblem("", f"must be a dict, not {type(given).__name__}")]
    defaults = kind()
    fields = {field.name: field for field in dataclasses.fields(kind)}
    known = ", ".join(sorted(fields))
    problems = []
    for key, value in given.items():
        if key not in fields:
            unknown = f"is not a setting (known: {known})"
            problems.append(TunableProblem(str(key), unknown, is_unknown_key=True))
        elif message := _value_problem(fields[key], getattr(defaults, key), value):
            problems.append(TunableProblem(key, message))
    return problems


def _value_problem(field: dataclasses.Field[Any], default: Any, value: Any) -> str | None:
    """Return why a tunable may not have the value, or None."""
    is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
    kind = (int, float) if isinstance(default, float) else type(default)
    if field.metadata.get(HIDDEN) and not isinstance(value, str):
        return f"must be a text, not {type(value).__name__}"
    if not isinstance(value, kind) or (is_number and isinstance(value, bool)):
        return f"must be like {default!r}, not {value!r}"
    minimum, maximum = field.metadata.get(BOUNDS, (0, MAX_VALUE))
    if is_number and not minimum <= value <= maximum:
        return f"must be {minimum} to {maximum}, not {value!r}"
    return None


def tunable_errors(kind: type, given: Any, where: str, prefix: str) -> list[CheckMessage]:
    """Check a dict of tunables, of the core or of a plug-in; return the system check's errors.

    `where` names the dict in the messages. An unknown key is `prefix`.E001, a wrong value E002.
    """
    errors: list[CheckMessage] = []
    for problem in tunable_problems(kind, given):
        name = f"{where}[{problem.key!r}]" if problem.key else where
        if problem.is_unknown_key:
            number, hint = "E001", "Remove it or correct its spelling."
        else:
            number = "E002"
            hint = "Leave it out for the default; docs/settings.md lists what each means."
        errors.append(Error(f"{name} {problem.message}", hint=hint, id=f"{prefix}.{number}"))
    return errors


def build_tunables(kind: type[T], given: Any) -> T:
    """Return the tunables `kind` with the given values.

    Wrong values are left out, and the system checks report them.
    """
    if not isinstance(given, dict):
        return kind()
    wrong = {problem.key for problem in tunable_problems(kind, given)}
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unguessable = {
        key: secrets.token_urlsafe()
        for key in wrong
        if key in fields and fields[key].metadata.get(HIDDEN)
    }
    right = {key: value for key, value in given.items() if str(key) not in wrong}
    return kind(**right, **unguessable)
