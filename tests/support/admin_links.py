"""Reading admin pages as an operator does: by the links that stand in them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.test import Client
from django.urls import reverse


def list_url(model: type[Model]) -> str:
    """The path of the list of a model's rows."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row: Model, page: str = "change") -> str:
    """The path of a row's page, with its key quoted as in the links of Django."""
    return f"{list_url(type(row))}{quote(row.pk)}/{page}/"


def hrefs(answer: Any) -> list[str]:
    """The targets of all links of a page, in their order."""
    return [
        unescape(url) for url in re.findall(r'<a[^>]*\shref="([^"]*)"', answer.content.decode())
    ]


def row_links(client: Client, model: type[Model]) -> list[str]:
    """The paths of the rows' own pages to which the model's list links."""
    base = list_url(model)
    found = [
        url.split("?")[0]
        for url in hrefs(client.get(base))
        if url.startswith(base) and url.split("?")[0].endswith("/change/")
    ]
    return list(dict.fromkeys(found))


def buttons(client: Client, row_url: str) -> dict[str, str]:
    """The buttons of a row's page by the last part of their path, with their whole path.

    The tabs of a page are no buttons: they lead to the page itself.
    """
    base = row_url.removesuffix("change/")
    own = [
        url
        for url in hrefs(client.get(row_url))
        if url.startswith(base) and not url.startswith(f"{base}change/?")
    ]
    names = {url: url.removeprefix(base).strip("/") for url in own}
    usual = ("change", "history", "delete")
    return {name: url for url, name in names.items() if name not in usual}
