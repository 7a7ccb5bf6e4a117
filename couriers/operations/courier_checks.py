"""System checks of couriers' settings, of where couriers are called, and of development's own."""

from __future__ import annotations

import os
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError

from couriers.conf import tunable_errors, tunables
from couriers.contract.origins import origin_problem
from couriers.contract.registry import CourierFactory
from couriers.http.tunables import tunables_class
from couriers.models import CourierAccount
from couriers.models.plugin_hooks import courier_reach

MAX_NAMED = 5  # accounts in a message


@register()
def check_courier_tunables(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers_<code>.E001: an unknown key of a courier's settings. E002: an invalid value.

    couriers.E001: settings of a courier that no plug-in registered.
    """
    errors: list[CheckMessage] = []
    for code, given in tunables().COURIERS.items():
        where = f"SHIPCROWD['COURIERS'][{code!r}]"
        if code in CourierFactory.codes():
            errors += tunable_errors(tunables_class(code), given, where, f"couriers_{code}")
            continue
        known = ", ".join(CourierFactory.codes()) or "none"
        errors.append(
            Error(
                f"{where} is no registered courier (known: {known})",
                hint="Remove it, correct its spelling, or add the plug-in to INSTALLED_APPS.",
                id="couriers.E001",
            )
        )
    return errors


@register()
def check_base_urls_of_the_environment(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers_<code>.E003: a <CODE>_BASE_URL to which no login may be sent."""
    errors: list[CheckMessage] = []
    for code in CourierFactory.codes():
        name = f"{code.upper()}_BASE_URL"
        url = os.environ.get(name, "")
        if url and (problem := origin_problem(url, courier_reach())):
            whose = CourierFactory.adapter_class(code).name
            errors.append(
                Error(
                    f"{name} {problem}",
                    hint=f"Set the https:// URL that {whose} gave you, or leave it unset.",
                    id=f"couriers_{code}.E003",
                )
            )
    return errors


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
