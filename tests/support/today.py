"""Reading the first page: its tiles, and the rows of the lists that they lead to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.test import Client

_TILE = re.compile(
    r'(?:href="(?P<url>[^"]*)"[^>]*?)?data-tile="(?P<name>[^"]+)" data-number="(?P<number>\d*)"'
    r'(?: data-state="(?P<state>[^"]*)")?'
)


@dataclass(frozen=True)
class SeenTile:
    """A tile as the page shows it."""

    number: int | None
    url: str
    state: str


def tiles_of(client: Client, path: str = "/admin/") -> dict[str, SeenTile]:
    """The tiles of the first page, by name."""
    answer = client.get(path)
    assert answer.status_code == 200
    return {
        found["name"]: SeenTile(
            int(found["number"]) if found["number"] else None,
            unescape(found["url"] or ""),
            found["state"] or "",
        )
        for found in _TILE.finditer(answer.content.decode())
    }


def rows_at(client: Client, url: str) -> int:
    """How many rows the list at this URL has."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    if "tabs" in answer.context:  # the page of a work list
        return len(answer.context["rows"])
    page = answer.content.decode()
    if "data-row=" in page or ('role="status"' in page and "result_list" not in page):
        return page.count('data-row="behind"') + page.count('data-row="alerts"')
    listing: Any = answer.context["cl"]
    return len(listing.result_list)
