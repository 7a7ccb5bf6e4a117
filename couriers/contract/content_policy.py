"""The Content-Security-Policy of the answers that the apps serve themselves.

Each answer carries its own policy, so that it is as strict in a project that sets none. A policy
that the project adds applies as well. The pages have no script of their own but Swagger UI's, and
their only inline style is named by its hash.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.http import HttpResponseBase
from django.template.loader import render_to_string

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

HEADER = "Content-Security-Policy"
# Of an answer that is no page. What `default-src` does not cover is named.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_policy(style: str, *directives: str, sources: str = "'self'") -> str:
    """Return the policy of a page whose inline style is the rendered template `style`.

    `sources` are where its styles and images come from, `directives` are added.
    """
    allowed = (
        f"style-src {sources} '{_hash_of(style)}'",
        f"img-src {sources} data:",
        *directives,
    )
    return "; ".join((NOTHING, *allowed))


@functools.cache
def _hash_of(template: str) -> str:
    digest = hashlib.sha256(render_to_string(template).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def with_policy(policy: Callable[[], str]) -> Callable[[View], View]:
    """Decorator of a view whose answers have the policy, unless it sets another one."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def call(*args: object, **kwargs: object) -> HttpResponseBase:
            response = view(*args, **kwargs)
            response.headers.setdefault(HEADER, policy())
            return response

        return call  # type: ignore[return-value]

    return decorate


def nothing() -> str:
    """Return the policy of an answer that is no page."""
    return NOTHING


def plain_page() -> str:
    """Return the policy of a page without links, such as that of an error."""
    return page_policy("couriers/pages.css")


def parcel_page() -> str:
    """Return the policy of the tracking page of a parcel."""
    return page_policy("couriers/tracking.css")


def reference_page() -> str:
    """Return the policy of the pages of the API's reference and of its problems."""
    return page_policy("couriers/reference.css")


def parcel_form() -> str:
    """Return the policy of the form that finds a parcel. It may post to this server."""
    return parcel_page().replace("form-action 'none'", "form-action 'self'")
