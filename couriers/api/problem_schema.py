"""The problems as the OpenAPI schema describes them: one component, with the members of each type.

An operation declares the problems of its own with `problems(...)`. couriers.api.openapi adds those
that every operation may answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from couriers.api.problems import CONTENT_TYPE, type_of
from couriers.contract.request_ids import MAX_LENGTH
from couriers.models import Scope

COMPONENT = "Problem"
REF = {"$ref": f"#/components/schemas/{COMPONENT}"}
_NAMES = "x-problems"


class ProblemKind(NamedTuple):
    """The status of a problem type, and the members that it has besides type, title and status.

    The status is None where it varies. A member in `required` is always there.
    """

    status: int | None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("detail",)


_WORDS = ("detail", "courier", "courier_message")
_ACTION = ProblemKind(409)

KINDS: dict[str, ProblemKind] = {
    "validation": ProblemKind(400, ("detail", "errors"), ()),
    "malformed": ProblemKind(400),
    "unauthenticated": ProblemKind(401),
    "key-expired": ProblemKind(401, ("detail",), ()),
    "forbidden": ProblemKind(403),
    "address-not-allowed": ProblemKind(403, ("detail",), ()),
    "scope-missing": ProblemKind(403, ("detail", "scope"), ()),
    "courier-not-enabled": ProblemKind(403, ("detail", "courier"), ()),
    "not-found": ProblemKind(404, (), _WORDS),
    "method-not-allowed": ProblemKind(405),
    "not-acceptable": ProblemKind(406),
    "in-flight": ProblemKind(409, ("retry_after",), ("shipment",)),
    "order-live": ProblemKind(409, ("detail", "shipment", "shipment_status"), ()),
    "order-ended": ProblemKind(409, ("detail", "shipment", "shipment_status"), ()),
    "shipment-erased": ProblemKind(409, ("detail", "shipment"), ()),
    "not-booked": _ACTION,
    "not-cancellable": _ACTION,
    "not-reattemptable": _ACTION,
    "not-returnable": ProblemKind(409, (), ("detail", "shipment")),
    "action-open": ProblemKind(409, ("detail", "shipment", "action"), ()),
    "not-in-doubt": _ACTION,
    "too-early": ProblemKind(409, ("detail", "retry_after"), ()),
    "unchecked-tracking-id": ProblemKind(409, ("detail",), ()),
    "not-awaiting-pickup": _ACTION,
    "not-delivered": _ACTION,
    "nothing-to-manifest": _ACTION,
    "warehouse-in-use": ProblemKind(409, ("detail",), ()),
    "precondition-failed": ProblemKind(412, ("detail",), ()),
    "labels-not-ready": ProblemKind(409, ("detail", "retry_after"), ()),
    "too-large": ProblemKind(413),
    "unsupported-media-type": ProblemKind(415),
    "key-reused": ProblemKind(422, ("detail", "fields"), ()),
    "order-differs": ProblemKind(422, ("detail", "fields", "shipment", "shipment_status"), ()),
    "labels-missing": ProblemKind(422, ("detail", "errors"), ("retry_after",)),
    "rejected": ProblemKind(422, (), _WORDS),
    "not-supported": ProblemKind(422, (), _WORDS),
    "too-many-jobs": ProblemKind(429, ("detail", "retry_after"), ()),
    "throttled": ProblemKind(429, ("detail", "retry_after"), ()),
    "internal": ProblemKind(500),
    "unreadable": ProblemKind(500),
    "error": ProblemKind(None),
    "unknown-outcome": ProblemKind(502, (), _WORDS),
    "not-sent": ProblemKind(503, ("retry_after",), _WORDS),
    "not-done": ProblemKind(503, ("retry_after",), _WORDS),
    "database-unavailable": ProblemKind(503, ("detail", "retry_after"), ()),
}

# What a call to a courier may end in.
COURIER = (
    "not-sent", "not-done", "rejected", "not-found", "not-supported", "unknown-outcome",
)  # fmt: skip
# What comes before a booking, and may be refused as one.
OFFER = (*COURIER, "courier-not-enabled")
BOOKING = (
    *OFFER, "in-flight", "order-live", "order-ended", "order-differs", "key-reused",
    "shipment-erased",
)  # fmt: skip


def problems(*names: str) -> dict[Any, Any]:
    """The entries of `responses` in `extend_schema` for the problems of an operation."""
    return {
        (status, CONTENT_TYPE): {_NAMES: sorted(of_status)}
        for status, of_status in by_status(names).items()
    }


def declared_problems(response: dict[str, Any]) -> list[str]:
    """The names that `problems` declared in a response of the schema; none of another response."""
    schema = response.get("content", {}).get(CONTENT_TYPE, {}).get("schema", {})
    return list(schema.get(_NAMES, ()))


def by_status(names: Iterable[str]) -> dict[int, set[str]]:
    """The problems by their HTTP status. Raises ValueError for a name that has none."""
    found: dict[int, set[str]] = {}
    for name in names:
        kind = KINDS.get(name)
        if kind is None or kind.status is None:
            raise ValueError(f"{name} is not a problem with a status in KINDS")
        found.setdefault(kind.status, set()).add(name)
    return found


def problem_content(names: Iterable[str]) -> dict[str, Any]:
    """The content of a response that may have any of these problems."""
    types = [type_of(name) for name in sorted(names)]
    schema = {**REF, "properties": {"type": {"enum": types}}}
    return {CONTENT_TYPE: {"schema": schema}}


def problem_component() -> dict[str, Any]:
    """The component of all problems (RFC 9457), with the members that each type has."""
    return {
        "type": "object",
        "description": "A problem (RFC 9457). `type` is stable, and the path of a page.",
        "properties": {
            "type": {"type": "string", "enum": [type_of(name) for name in KINDS]},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "minLength": 1},
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/ProblemField"},
                "description": "The fields of the request that are wrong.",
            },
            "fields": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "description": "The fields that differ from the first request.",
            },
            "courier": {"type": "string"},
            "courier_message": {"type": "string", "description": "The courier's own words."},
            "retry_after": {
                "type": "integer",
                "minimum": 1,
                "description": "Seconds after which to ask again, as in Retry-After.",
            },
            "shipment": {"type": "string", "description": "The id of the shipment it is about."},
            "action": {"type": "string", "description": "The id of the action that is open."},
            "scope": {"enum": Scope.values, "description": "The scope that the key lacks."},
            "shipment_status": {"$ref": "#/components/schemas/StatusEnum"},
            "request_id": {
                "type": "string",
                "maxLength": MAX_LENGTH,
                "description": "The id of the request, as in X-Request-ID.",
            },
        },
        "required": ["status", "title", "type"],
        "additionalProperties": False,
        "allOf": [_members_of(name, kind) for name, kind in KINDS.items()],
    }


def _members_of(name: str, kind: ProblemKind) -> dict[str, Any]:
    """If a problem has the type, then it has these members and this status."""
    members = ("type", "title", "status", "request_id", *kind.required, *kind.optional)
    then: dict[str, Any] = {"propertyNames": {"enum": list(members)}}
    if kind.required:
        then["required"] = list(kind.required)
    if kind.status is not None:
        then["properties"] = {"status": {"const": kind.status}}
    condition = {"properties": {"type": {"const": type_of(name)}}, "required": ["type"]}
    return {"if": condition, "then": then}
