"""What the menu of the account has in the admin."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from shipcrowd.staff import second_factor
from shipcrowd.staff.middleware import PAGE
from shipcrowd.staff.policies import OFF


def account_links(request: HttpRequest) -> list[dict[str, str]]:
    """Return the link to the page of the second factor, where the URLs have one."""
    if second_factor.policy() == OFF:
        return []
    try:
        return [{"title": "Second factor", "link": reverse(PAGE)}]
    except NoReverseMatch:
        return []
