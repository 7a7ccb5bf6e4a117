"""Pressing a button of a row's page, and sending the form behind it as a browser would."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from tests.support.admin_links import buttons, row_url


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the page's form, beside what is typed."""
    form = page[page.index('<form method="post"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") != "radio" or " checked" in tag:
            found[given["name"]] = unescape(given.get("value", ""))
    return found


def press(client: Client, row: Any, button: str) -> tuple[str, dict[str, str]]:
    """Open the page behind a row's button; return its address and its form as it is shown."""
    shown = client.get(buttons(client, row_url(row))[button], follow=True)
    return str(shown.redirect_chain[-1][0]), fields(shown.content.decode())


def said(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())
