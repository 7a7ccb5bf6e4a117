"""Refuse what an operation does not understand: query parameters, and bodies where none is taken.

An operation declares its query parameters and its body with `couriers.api.schema.extend_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request

from couriers.contract.platform_errors import ScopeMissing
from couriers.models import CompanyApiKey, Scope

READING = ("GET", "HEAD")
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
MAX_NAMED = 20  # fields in one problem
NO_PARAMETER = "is not a query parameter of this operation"
NO_BODY = "this operation takes no body"
_EMPTY_FORM = re.compile(rb"--[^\r\n]*--\s*")  # the line that ends a form


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an operation takes. `takes_body` is None where its HTTP method decides.

    `scope` is what a company's key needs. Where it is None, reading needs READ, and any other
    operation is for staff.
    """

    parameters: frozenset[str] = frozenset()
    repeatable: frozenset[str] = field(default_factory=frozenset)
    takes_body: bool | None = None
    scope: Scope | None = None


def required_scope(handler: Callable[..., Any], method: str) -> Scope:
    """The scope that a key needs for the operation, which an HTTP method's handler carries out.

    Raises ImproperlyConfigured for one that changes something and declares no scope.
    """
    scope = declared_by(handler).scope
    if scope is None and method.upper() in READING:
        return Scope.READ
    if scope is None:
        raise ImproperlyConfigured(f"{handler.__qualname__} declares no scope")
    return scope


def require_scope(key: CompanyApiKey, handler: Callable[..., Any], method: str) -> None:
    """Raise ScopeMissing unless the key may be used for the operation."""
    scope = required_scope(handler, method)
    if not key.has_scope(scope):
        raise ScopeMissing(scope.value)


def declared_by(handler: Callable[..., Any]) -> Accepted:
    """What the handler's decorator declares. An undecorated handler takes no parameter."""
    accepted: Accepted = getattr(handler, "accepted", Accepted())
    return accepted


def refuse_unknown_input(request: Request, handler: Callable[..., Any], filterset: Any) -> None:
    """Raise ValidationError naming what the operation does not take.

    `filterset` is the class of the list's filters, whose names are query parameters too, or None.
    So is any name that it `takes`.
    """
    accepted = declared_by(handler)
    filters = filterset.base_filters if filterset is not None else {}
    takes = getattr(filterset, "takes", lambda name: False)
    problems = _parameter_problems(
        request,
        accepted.parameters | filters.keys() | set(filter(takes, request.query_params)),
        accepted.repeatable | {name for name, one in filters.items() if _takes_several(one)},
    )
    if problems:
        raise ValidationError(problems)
    _refuse_unmeasured_body(request)
    takes_body = accepted.takes_body
    if takes_body is None:
        takes_body = request.method in METHODS_WITH_BODY
    if not takes_body:
        _refuse_body(request)


def unknown_fields(names: Any, message: str) -> dict[str, list[str]]:
    """The problems of fields that are not known, at most MAX_NAMED of them."""
    return {str(name)[:100]: [message] for name in sorted(map(str, names))[:MAX_NAMED]}


def _parameter_problems(
    request: Request, known: frozenset[str], repeatable: frozenset[str]
) -> dict[str, list[str]]:
    given = request.query_params
    problems = unknown_fields(given.keys() - known, NO_PARAMETER)
    for name in given.keys() & known:
        values = given.getlist(name)
        if len(values) > 1 and name not in repeatable:
            problems[name] = ["is given more than once"]
        elif not all(value.strip() for value in values):
            problems[name] = ["has no value"]
        elif any("\x00" in value for value in values):
            problems[name] = ["contains control characters"]
    return problems


def _takes_several(one: Any) -> bool:
    return bool(getattr(one.field_class.widget, "allow_multiple_selected", False))


def _refuse_unmeasured_body(request: Request) -> None:
    """Refuse a body without a length, which Django would read as empty."""
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise ParseError("Send the body with a Content-Length.")


def _refuse_body(request: Request) -> None:
    """Refuse a body, unless it is empty, an empty object or a form without fields."""
    if request.content_type.startswith("multipart/") and _EMPTY_FORM.fullmatch(request.body):
        return
    data = request.data
    if not data and isinstance(data, dict):
        return
    if isinstance(data, dict):
        raise ValidationError(unknown_fields(data, f"is not known: {NO_BODY}"))
    raise ValidationError([NO_BODY])
