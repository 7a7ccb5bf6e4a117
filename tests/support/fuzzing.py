"""Tries requests that schemathesis makes from the schema, valid and invalid, at every operation."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

# What the schema promises. That valid data is accepted is none of it: a phone has a numbering plan.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
# The couriers of the tests answer with these, too.
FAULTS_OF_COURIERS = (502, 503)


@dataclass(frozen=True)
class Known:
    """Values that exist. `ids` are by the beginning of the path, `members` by their name."""

    ids: Mapping[str, Sequence[Any]]
    members: Mapping[str, Any]


@dataclass
class Outcome:
    """What a run found. `statuses` counts the answers of each operation by their status."""

    cases: int = 0
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = [f"  {name}: {dict(sorted(c.items()))}" for name, c in self.statuses.items()]
        return "\n".join([f"{self.cases} cases, {len(self.failures)} failures", *counts, ""])

    def always(self, status: int) -> list[str]:
        """The operations that answered with this status alone."""
        return [name for name, counts in self.statuses.items() if set(counts) == {status}]

    def add(self, recorder: Any) -> None:
        """Add the requests of one scenario of schemathesis."""
        for case_id, interaction in recorder.interactions.items():
            self.cases += 1
            answer = interaction.response
            status = answer.status_code if answer else 0
            self.statuses.setdefault(recorder.label, Counter())[status] += 1
            for check in recorder.checks.get(case_id, ()):
                if check.failure_info and not _is_expected(check.name, answer):
                    failure = check.failure_info.failure
                    self.failures.append(
                        f"{recorder.label}: {check.name}: {failure.title}: {failure.message[:1000]}"
                        f"\n  {interaction.request.method} {interaction.request.uri}"
                        f" {(interaction.request.body or b'')[:1000]!r}"
                        f"\n  -> {status} {answer.content[:500] if answer else b''!r}"
                    )


def _is_expected(check: str, answer: Any) -> bool:
    """Whether it is no failure: a courier's fault, or a bulk request with an order that is refused.

    One order that is not valid delays no other, so its request is accepted.
    """
    if check == "not_a_server_error":
        return answer.status_code in FAULTS_OF_COURIERS
    if check == "negative_data_rejection" and answer.status_code == 202:
        return bool(json.loads(answer.content).get("counts", {}).get("rejected"))
    return False


def run(
    headers: Mapping[str, str],
    known: Known,
    *,
    cookies: Mapping[str, str] | None = None,
    examples: int,
    paths: str = ".*",
    coverage: bool = False,
    seed: int = 1,
) -> Outcome:
    """Try `examples` requests at each operation whose path matches, with these headers.

    Valid values in the requests are replaced by known ones. `coverage` adds requests for each
    constraint of the schema, one by one. The same seed makes the same requests.
    """
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            # Over WSGI, schemathesis asks for compressed answers and does not read them.
            "headers": {"Accept-Encoding": "identity", **headers},
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "generation": {"max-examples": examples, "database": "none", "deterministic": True},
            "phases": {
                "examples": {"enabled": False},
                "coverage": {"enabled": coverage},
                "fuzzing": {"enabled": True},
                "stateful": {"enabled": False},
            },
        }
    )
    loaded = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application(), config=config)
    schema = loaded.include(path_regex=paths)
    outcome = Outcome()
    hook = _Requests(known, cookies or {}).complete
    GLOBAL_HOOK_DISPATCHER.register_hook_with_name(hook, "before_call")
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                outcome.add(event.recorder)
            elif isinstance(event, (events.NonFatalError, events.FatalError)):
                outcome.failures.append(f"schemathesis: {getattr(event, 'value', event)!r}")
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(hook)
    return outcome


class _Requests:
    """Puts known values in requests that are valid, so that not every one is about nothing."""

    def __init__(self, known: Known, cookies: Mapping[str, str]) -> None:
        self._known = known
        self._cookies = cookies
        self._turns = itertools.count()
        self._ids = {path: itertools.cycle(ids) for path, ids in known.ids.items()}

    def complete(self, context: Any, case: Any, kwargs: Any) -> None:
        """schemathesis' hook `before_call`."""
        case.cookies.update(self._cookies)
        turn = next(self._turns)
        if case.path_parameters and _is_valid(case, ParameterLocation.PATH) and turn % 8:
            self._fill_in_id(case)
        if case.query and _is_valid(case, ParameterLocation.QUERY):
            case.query.update({k: v for k, v in self._values(turn) if k in case.query})
        if case.headers and _is_valid(case, ParameterLocation.HEADER):
            case.headers.update({k: v for k, v in self._values(turn) if k in case.headers})
        if isinstance(case.body, (dict, list)) and _is_valid(case, ParameterLocation.BODY):
            case.body = self._filled_in(case.body, dict(self._values(turn)))

    def _fill_in_id(self, case: Any) -> None:
        path = max((p for p in self._ids if case.path.startswith(p)), key=len, default=None)
        if path is not None:
            # The first parameter of a path is its row's id, or the code of a courier.
            first = case.operation.path.partition("{")[2].partition("}")[0]
            others = {k: v for k, v in self._known.members.items() if k in case.path_parameters}
            known = {first: next(self._ids[path])}
            case.path_parameters = {**case.path_parameters, **others, **known}

    def _values(self, turn: int) -> Iterator[tuple[str, Any]]:
        for name, value in self._known.members.items():
            yield name, value(turn) if callable(value) else value

    def _filled_in(self, body: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(body, list):
            return [self._filled_in(part, values) for part in body]
        if isinstance(body, dict):
            return {
                name: values[name] if name in values else self._filled_in(value, values)
                for name, value in body.items()
            }
        return body


def _is_valid(case: Any, location: ParameterLocation) -> bool:
    part = case.meta.components.get(location) if case.meta else None
    return part is not None and bool(part.mode.is_positive)
