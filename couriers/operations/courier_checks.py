"""System checks of plug-ins, of where couriers are called, and of settings for development."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, register
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError

from couriers.conf import tunables
from couriers.contract.plugin_problems import adapter_problems
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount

MAX_NAMED = 5  # accounts in a message


@register()
def check_plugins(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E024: a plug-in is not made of what it declares."""
    return [
        checks.Error(
            f"the plug-in {code} breaks the contract: {problem}",
            hint="Correct the adapter's class, or install a release of the plug-in that fits.",
            id="couriers.E024",
        )
        for code in CourierFactory.codes()
        for problem in adapter_problems(CourierFactory.adapter_class(code))
    ]


@register(checks.Tags.database)
def check_stored_base_urls(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """couriers.W031: a stored account's base URL would be refused today.

    Only `check --database` asks. It was stored before the rule or its setting, or by a direct
    write.
    """
    if not databases or DEFAULT_DB_ALIAS not in databases:
        return []
    try:
        found = [
            f"{account.pk} {problem}"
            for account in CourierAccount.objects.only("base_url").order_by("pk")
            if (problem := account.base_url_problem())
        ]
    except (ProgrammingError, OperationalError):  # the tables are not made yet
        return []
    if not found:
        return []
    more = f" (and {len(found) - MAX_NAMED} more)" if len(found) > MAX_NAMED else ""
    return [
        checks.Warning(
            f"Base URLs of accounts would be refused today: {'; '.join(found[:MAX_NAMED])}{more}",
            hint="Correct them in the admin, or set what the message names.",
            id="couriers.W031",
        )
    ]


@register(deploy=True)
def check_development(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W032: DEVELOPMENT is on (`check --deploy`)."""
    if not tunables().DEVELOPMENT:
        return []
    return [
        checks.Warning(
            "SHIPCROWD['DEVELOPMENT'] is on, so couriers may be called on this machine, over http "
            "too, and /metrics needs no token",
            hint="Leave it out, or set it to False.",
            id="couriers.W032",
        )
    ]
