"""The decorator that describes operations in the OpenAPI schema, and declares what they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from drf_spectacular import utils
from drf_spectacular.utils import OpenApiParameter

from couriers.api.openapi import ApiSchema
from couriers.api.strictness import Accepted

_UNSAID: Any = object()


def extend_schema(**options: Any) -> Callable[[Any], Any]:
    """drf-spectacular's `extend_schema`, always on our own schema class.

    The original takes the class from DEFAULT_SCHEMA_CLASS of the host project's REST_FRAMEWORK.
    The view refuses query parameters that are not among `parameters`, and a body where `request`
    is None (couriers.api.strictness).
    """
    describe = utils.extend_schema(**options)
    accepted = _accepted(options.get("parameters") or (), options.get("request", _UNSAID))

    def decorate(described: Any) -> Any:
        if not inspect.isclass(described):
            described.kwargs = {"schema": ApiSchema, **getattr(described, "kwargs", {})}
            described.accepted = accepted
        return describe(described)

    return decorate


def _accepted(parameters: Iterable[Any], request: Any) -> Accepted:
    names, repeatable = set(), set()
    for parameter in parameters:
        if not isinstance(parameter, OpenApiParameter):  # a serializer of the whole query
            names |= set(parameter().fields)
        elif parameter.location == OpenApiParameter.QUERY:
            names.add(parameter.name)
            if parameter.many:
                repeatable.add(parameter.name)
    return Accepted(
        frozenset(names), frozenset(repeatable), takes_body=False if request is None else None
    )
