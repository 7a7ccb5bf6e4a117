"""The decorator that describes operations in the OpenAPI schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from drf_spectacular import utils

from couriers.api.openapi import ApiSchema


def extend_schema(**options: Any) -> Callable[[Any], Any]:
    """drf-spectacular's `extend_schema`, always on our own schema class.

    The original takes the class from DEFAULT_SCHEMA_CLASS of the host project's REST_FRAMEWORK.
    """
    describe = utils.extend_schema(**options)

    def decorate(described: Any) -> Any:
        if not inspect.isclass(described):
            described.kwargs = {"schema": ApiSchema, **getattr(described, "kwargs", {})}
        return describe(described)

    return decorate
