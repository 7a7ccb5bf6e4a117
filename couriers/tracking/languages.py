"""The language of a public tracking page: what the browser asks for, or what a link chose.

It does not depend on the project's LANGUAGES, nor on its LocaleMiddleware: consignees read Hindi
whatever the project's own pages are written in.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
DEFAULT = "en"
PARAMETER = "lang"


def language_of(request: HttpRequest) -> str:
    """Return the code of the page's language: `?lang=`, else Accept-Language, else English.

    English where the project has switched translations off (USE_I18N).
    """
    if not settings.USE_I18N:
        return DEFAULT
    if chosen := chosen_language(request):
        return chosen
    for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        base = code.partition("-")[0]
        if base in LANGUAGES:
            return base
    return DEFAULT


def chosen_language(request: HttpRequest) -> str:
    """Return the language that a link of the page chose, "" where none did."""
    chosen = request.GET.get(PARAMETER, "")
    return chosen if settings.USE_I18N and chosen in LANGUAGES else ""


def query_of(request: HttpRequest) -> str:
    """Return the query by which a link keeps the chosen language, "" where none was chosen."""
    chosen = chosen_language(request)
    return f"?{PARAMETER}={chosen}" if chosen else ""
