"""The page on which a member of staff confirms an action, as a browser sends its form."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.support.factories import make_staff

_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
ACTS = ("view_shipment", "act_on_shipment")


def staff_client(*permissions: str, username: str = "operator") -> Client:
    """A client that is logged in as a new member of staff with these permissions."""
    client = Client()
    client.force_login(make_staff(*permissions, username=username))
    return client


def act_url(kind: str, *ids: str, **parameters: str) -> str:
    query = "&".join([f"ids={pk}" for pk in ids] + [f"{k}={v}" for k, v in parameters.items()])
    return f"{reverse('admin:shipcrowd_act', args=[kind])}?{query}"


def form_of(response: Any) -> dict[str, list[str]]:
    """The values of the page's form, as a browser would send them unchanged."""
    content = response.content.decode()
    form = content[content.index('<form method="post" class="border') :].split("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag in _INPUT.findall(form):
        given = dict(_ATTRIBUTE.findall(tag))
        found.setdefault(given["name"], []).append(given.get("value", ""))
    return found


def open_act(client: Client, kind: str, *ids: str, **parameters: str) -> dict[str, list[str]]:
    """Open the page; return its form."""
    response = client.get(act_url(kind, *ids, **parameters))
    assert response.status_code == 200, response.content[:500]
    return form_of(response)


def send_act(client: Client, kind: str, form: dict[str, list[str]], **changes: str) -> Any:
    """Send the form with some values changed; return the last answer."""
    return client.post(act_url(kind), form | changes, follow=True)
