"""Entity tags of answers (RFC 9110): 304 for what a client has already, 412 for what has changed.

A tag is of the answer's content, so it changes with each change that a client could see, and with
no other. A proxy that compresses an answer makes its tag weak. So a weak one is taken everywhere.
"""

from __future__ import annotations

import hashlib

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.contract.platform_errors import PreconditionFailed

JSON = "application/json"
MAX_LENGTH = 1000  # characters of a header with tags
_TAGS = {"type": "string", "maxLength": MAX_LENGTH}
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    _TAGS,
    OpenApiParameter.HEADER,
    description="The `ETag` of an earlier answer. If the answer is still the same, it is a 304.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    _TAGS,
    OpenApiParameter.HEADER,
    description="The `ETag` of the shipment as it was read, without `expand`. If it has changed "
    "since, nothing is done, and the answer is a 412.",
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string"},
    OpenApiParameter.HEADER,
    response=[200, 304],
    description="The tag of this answer, for If-None-Match and If-Match.",
)


def tag_of(content: bytes) -> str:
    """Return the strong tag of an answer's content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def conditional_response(
    request: Request, content: bytes, *, tag: str = "", content_type: str = JSON
) -> HttpResponse:
    """The response with the content, or a 304 where the client has it. `tag` is `tag_of` it."""
    tag = tag or tag_of(content)
    response: HttpResponse
    if _names(request, "If-None-Match", tag):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=content_type)
    response["ETag"] = tag
    return response


def refuse_changed(request: Request, content: bytes) -> None:
    """Raise PreconditionFailed where If-Match names other content than the present."""
    if "If-Match" in request.headers and not _names(request, "If-Match", tag_of(content)):
        raise PreconditionFailed


def _names(request: Request, header: str, tag: str) -> bool:
    """Whether a header with tags has this one, or `*`. Raises ValidationError for a long one."""
    text = request.headers.get(header, "")
    if len(text) > MAX_LENGTH:
        raise ValidationError({header: [f"has more than {MAX_LENGTH} characters"]})
    given = parse_etags(text)
    return "*" in given or tag in (one.removeprefix("W/") for one in given)
