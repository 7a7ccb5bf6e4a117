"""The system check of the inbox: whether couriers would reach it."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, register

from couriers.models.addresses import NoAddress, url_of
from webhooks.probe import NothingAnswers, problem_of


@register(deploy=True)
def check_public_address(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """webhooks.W001: the address that couriers are told does not lead to this project."""
    try:
        url = url_of("shipcrowd_webhooks:probe")
    except NoAddress:  # couriers.E007 or couriers.E012
        return []
    try:
        problem = None if "@" in url else problem_of(url)  # couriers.E007 refuses a login
    except NothingAnswers:  # the settings are checked before the web server is started
        return []
    if problem is None:
        return []
    return [
        checks.Warning(
            f"The address of callbacks, {url}, {problem}",
            hint="Start the web server, and set SHIPCROWD['BASE_URL'] to its public address, with "
            "the path of SCRIPT_NAME if there is one.",
            id="webhooks.W001",
        )
    ]
