"""Routes that are served with and without their last slash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import URLPattern, path


def with_and_without_slash(routes: Iterable[tuple[str, Any, str]]) -> Iterator[URLPattern]:
    """Yield the URLs of routes, which are (path, view class, name). The name has the slash.

    The schema lists the paths with the slash alone.
    """
    for route, view, name in routes:
        yield path(route, view.as_view(), name=name)
        yield path(route.removesuffix("/"), view.as_view(schema=None))
