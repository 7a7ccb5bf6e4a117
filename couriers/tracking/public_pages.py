"""What the public tracking pages have in common: their shop, their language, their headers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers

from couriers.models import Company, CompanyLogo
from couriers.models.addresses import NoAddress, path_of
from couriers.tracking.languages import LANGUAGES, language_of, query_of

# The columns of a company that a page needs, as a path from the company.
COMPANY_COLUMNS = (
    "slug", "name", "support_phone", "support_email", "support_url", "is_active",
    "logo__digest", "logo__width", "logo__height",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shop:
    """What a page shows of a company, in whose name the parcel was sent."""

    name: str
    phone: str
    dialled: str  # the phone as a link calls it
    email: str
    url: str
    logo: str  # the path of the image; "" where there is none
    logo_width: int
    logo_height: int
    find: str  # the path of the form that finds the company's parcels

    @property
    def has_contact(self) -> bool:
        """Whether the page says how to reach the shop."""
        return bool(self.phone or self.email or self.url)


def shop_of(company: Company) -> Shop:
    """Return what a page shows of the company. It was read with COMPANY_COLUMNS."""
    logo: CompanyLogo | None = getattr(company, "logo", None)
    return Shop(
        name=company.name,
        phone=company.support_phone,
        dialled="".join(c for c in company.support_phone if c.isdigit() or c == "+"),
        email=company.support_email,
        url=company.support_url,
        logo=_path("logo", logo.digest) if logo else "",
        # It is stored twice as large, for sharp screens.
        logo_width=math.ceil(logo.width / 2) if logo else 0,
        logo_height=math.ceil(logo.height / 2) if logo else 0,
        find=_path("find", company.slug) if company.is_active else "",
    )


def parcel_response(
    request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """Return a page in the language of its reader. No search engine lists it.

    Links that lead elsewhere do not tell the page's address, which nobody else should know.
    """
    language = language_of(request)
    with translation.override(language):
        shown = {
            "language": language,
            "languages": LANGUAGES if settings.USE_I18N else {},
            "query": query_of(request),
            "find_any": _path("find-any"),
        }
        response = render(request, template, shown | dict(context), status=status)
    response["Content-Language"] = language
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    patch_vary_headers(response, ["Accept-Language"])
    return response


def too_many(request: HttpRequest, wait: float) -> HttpResponse:
    """Return the page with 429 for who must wait so many seconds."""
    seconds = math.ceil(wait)
    page = parcel_response(request, "couriers/tracking_busy.html", {"seconds": seconds}, 429)
    page["Retry-After"] = str(seconds)
    page["Cache-Control"] = "no-store"
    return page


def _path(name: str, *arguments: Any) -> str:
    try:
        return path_of(f"couriers_tracking:{name}", *arguments)
    except NoAddress:
        return ""
