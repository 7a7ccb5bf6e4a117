"""System checks of plug-ins and their settings, of where couriers are called, of development."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError

from couriers.conf import tunable_errors, tunables
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.origins import origin_problem
from couriers.contract.plugin_problems import adapter_problems
from couriers.contract.registry import CourierFactory
from couriers.http.tunables import tunables_class
from couriers.models import CourierAccount
from couriers.models.account import courier_reach
from couriers.operations.seeding import variable

MAX_NAMED = 5  # accounts in a message
RESERVED = {"base_url", "webhook_secret"}  # other values of an account have these names


@register()
def check_base_urls_to_seed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers_<code>.E003: no login may be sent to a `<COURIER>_BASE_URL` of the environment."""
    found: list[CheckMessage] = []
    for code in CourierFactory.codes():
        name = variable(code, "base_url")
        url = os.environ.get(name, "")
        if url and (problem := origin_problem(url, courier_reach())):
            hint = "Set the https:// URL that the courier gave you, or leave it unset."
            found.append(Error(f"{name} {problem}", hint=hint, id=f"couriers_{code}.E003"))
    return found


@register()
def check_login_fields(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E021: a plug-in declares a login that cannot be stored, seeded or compared."""
    return [
        Error(
            f"The plug-in of courier {code!r} {problem}",
            hint="Correct its `login_fields` and `login_identity`.",
            id="couriers.E021",
        )
        for code in CourierFactory.codes()
        for problem in _login_problems(CourierFactory.adapter_class(code))
    ]


def _login_problems(adapter: type[BaseCourierAdapter]) -> Iterator[str]:
    names = [field.name for field in adapter.login_fields]
    for name in names:
        if not name.isidentifier() or not name.islower() or name in RESERVED:
            yield f"has a field of its login that may not be named {name!r}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"declares {name!r} twice in its login"
    for name in adapter.login_identity:
        if name not in names:
            yield f"compares logins by {name!r}, which is no field of its login"


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
