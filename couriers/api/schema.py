"""The decorator that describes operations in the OpenAPI schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from drf_spectacular import utils
from drf_spectacular.openapi import AutoSchema


def extend_schema(**options: Any) -> Callable[[Any], Any]:
    """drf-spectacular's `extend_schema`, always on drf-spectacular's own schema class.

    The original takes the class from DEFAULT_SCHEMA_CLASS of the host project's REST_FRAMEWORK.
    """
    describe = utils.extend_schema(**options)

    def decorate(described: Any) -> Any:
        if not inspect.isclass(described):
            described.kwargs = {"schema": AutoSchema, **getattr(described, "kwargs", {})}
        return describe(described)

    return decorate
