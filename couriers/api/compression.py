"""Compresses the API's answers with gzip, where the client accepts that.

The platform does it itself, so that each web server in front of it, and each host project, sends
the same. Answers to GET alone are compressed, and none that must not be stored: a secret that is
shown once is in the answer to a POST. So the length of an answer tells nobody a secret (BREACH).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

from couriers.api.strictness import READING

MIN_BYTES = 1024
MAX_RANDOM_BYTES = 100  # in the head of the file, so that equal answers have different lengths
NO_WEIGHT = ("q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000")
_TEXTS = ("text/", "application/json", "application/problem+json", "application/javascript")
_SCHEMAS = "application/vnd.oai.openapi"


def compressed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view: its answers of MIN_BYTES or more are compressed."""

    @functools.wraps(view)
    def compressing(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        if hasattr(response, "add_post_render_callback") and not response.is_rendered:
            response.add_post_render_callback(lambda rendered: _compress(request, rendered))
        else:
            _compress(request, response)
        return response

    return compressing


def _compress(request: HttpRequest, response: HttpResponse) -> None:
    if not _may_be_compressed(request, response):
        return
    patch_vary_headers(response, ["Accept-Encoding"])
    if len(response.content) < MIN_BYTES or not accepts_gzip(request):
        return
    response.content = compress_string(response.content, max_random_bytes=MAX_RANDOM_BYTES)
    response["Content-Encoding"] = "gzip"
    if "Content-Length" in response:
        response["Content-Length"] = str(len(response.content))
    etag = response.get("ETag", "")
    if etag.startswith('"'):
        response["ETag"] = f"W/{etag}"  # the bytes are others, and mean the same (RFC 9110, 8.8.1)


def _may_be_compressed(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        request.method in READING
        and not response.streaming
        and "Content-Encoding" not in response
        and "no-store" not in response.get("Cache-Control", "")
        and response.get("Content-Type", "").startswith((*_TEXTS, _SCHEMAS))
    )


def accepts_gzip(request: HttpRequest) -> bool:
    """Whether the Accept-Encoding of the request names gzip with another weight than 0."""
    for part in request.headers.get("Accept-Encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == "gzip":
            return weight.strip().lower() not in NO_WEIGHT
    return False
