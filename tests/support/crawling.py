"""The pages that links lead to from the admin's first page, one of each kind."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from tests.support.admin_links import hrefs

FIRST = "/admin/"
# Files, and pages that end the session or are the framework's own.
LEFT_OUT = ("logout", "jsi18n", "password_change", "autocomplete", "open", "export")


def linked_pages(client: Client) -> dict[str, str]:
    """Return the paths that links lead to from the first page, by the name of what they show.

    Of pages that differ by a row's key alone, the first is returned. A file, such as a label, is
    no page.
    """
    found = {"index": FIRST}
    files = set()
    waiting = [FIRST]
    while waiting:
        page = waiting.pop()
        answer = client.get(page)
        if not answer.get("Content-Type", "").startswith("text/html"):
            files.add(page)
            continue
        for href in hrefs(answer):
            parts = urlsplit(urljoin(page, href))
            name = None if parts.netloc else _name_of(parts.path)
            if name and name not in found:
                found[name] = parts.path
                waiting.append(parts.path)
    return {name: path for name, path in found.items() if path not in files}


def _name_of(path: str) -> str | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.namespace != "admin" or any(word in str(match.url_name) for word in LEFT_OUT):
        return None
    name = str(match.url_name).removeprefix("shipcrowd_")
    # A work list and a kind of action are in the path; a row's key is not part of the name.
    words = [str(word) for word in match.kwargs.values() if str(word).replace("-", "").isalpha()]
    return "-".join([name, *words]).replace("_", "-")
