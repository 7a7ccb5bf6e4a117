"""Every path of the project, with an example for each part that varies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter
from django.urls.resolvers import RegexPattern

ID = "shp_00000000000000000000000000"
# The admin is Django's own, and staff's second factor and search box are pages of it. The first
# page leads there.
OTHERS = ("admin/", "admin/second-factor/", "admin/search/")


def patterns(entries: Any = None, prefix: str = "") -> Iterator[str]:
    """Yield the path of each URL of the project, with an example for every part that varies."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = prefix + example_of(entry)
        if path in OTHERS:
            continue
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, path)
        elif path:
            yield f"/{path}"


def example_of(entry: URLPattern | URLResolver) -> str:
    """The entry's own part of a path."""
    text = str(entry.pattern)
    for name, converter in entry.pattern.converters.items():
        value = "1" if isinstance(converter, IntConverter) else ID
        value = {"courier": "toy", "name": "validation", "topic": "shipment_recreated"}.get(
            name, value
        )
        text = re.sub(f"<([a-z_]+:)?{name}>", value, text)
    if isinstance(entry.pattern, RegexPattern):  # of a router
        text = re.sub(r"\(\?P<pk>.*?\)", ID, text.lstrip("^").removesuffix(r"\Z").rstrip("$"))
    assert entry.pattern.match(text) is not None, (str(entry.pattern), text)
    return text
