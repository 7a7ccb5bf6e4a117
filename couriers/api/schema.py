"""The decorator that describes operations in the OpenAPI schema, and declares what they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from drf_spectacular import utils
from drf_spectacular.utils import OpenApiParameter

from couriers.api.openapi import ApiSchema
from couriers.api.strictness import Accepted
from couriers.models import Scope

_UNSAID: Any = object()


def extend_schema(*, scope: Scope | None = None, **options: Any) -> Callable[[Any], Any]:
    """drf-spectacular's `extend_schema`, always on our own schema class.

    `scope` is what a company's key needs for an operation that does not only read.

    The original takes the class from DEFAULT_SCHEMA_CLASS of the host project's REST_FRAMEWORK.
    The view refuses query parameters that are not among `parameters`, and a body where `request`
    is None (couriers.api.strictness).
    """
    describe = utils.extend_schema(**options)
    accepted = _accepted(options.get("parameters") or (), options.get("request", _UNSAID), scope)

    def decorate(described: Any) -> Any:
        if not inspect.isclass(described):
            described.kwargs = {"schema": ApiSchema, **getattr(described, "kwargs", {})}
            described.accepted = accepted
        return describe(described)

    return decorate


def _accepted(parameters: Iterable[Any], request: Any, scope: Scope | None) -> Accepted:
    names, repeatable = set(), set()
    for parameter in parameters:
        if not isinstance(parameter, OpenApiParameter):  # a serializer of the whole query
            names |= set(parameter().fields)
        elif parameter.location == OpenApiParameter.QUERY:
            names.add(parameter.name)
            if parameter.many:
                repeatable.add(parameter.name)
    return Accepted(
        frozenset(names),
        frozenset(repeatable),
        takes_body=False if request is None else None,
        scope=scope,
    )
