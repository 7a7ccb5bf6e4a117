"""System checks of DATABASE_POOLER: wrong beside other settings, or beside what is really there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register
from django.db import DEFAULT_DB_ALIAS, connection

from shipcrowd.pooler import Pooler, pools_transactions

# What of a connection's options is a state of its session, and what to do instead.
SESSION_OPTIONS = {
    "options": "set it for the role, by ALTER ROLE … SET",
    "assume_role": "log in as that role",
    "prepare_threshold": "leave it out, unless it is PgBouncer from 1.21 on with "
    "max_prepared_statements; then silence this check",
}
_ENDS_IDLE = "SELECT setting <> '0' FROM pg_settings WHERE name = %s"


@register()
def check_session_options(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W020: options of DATABASE_URL need a session, which the pooler gives nobody."""
    if settings.DATABASE_POOLER is not Pooler.TRANSACTION:
        return []
    given = settings.DATABASES[DEFAULT_DB_ALIAS]["OPTIONS"]
    return [
        checks.Warning(
            f"DATABASE_URL has the option {name}, but DATABASE_POOLER is transaction: the state of "
            "a session is lost, or somebody else's",
            hint=f"{remedy[0].upper()}{remedy[1:]}.",
            id="shipcrowd.W020",
        )
        for name, remedy in SESSION_OPTIONS.items()
        if name in given
    ]


@register(deploy=True)
def check_direct_url(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W023: `migrate` would go through the pooler."""
    if settings.DATABASE_POOLER is not Pooler.TRANSACTION or settings.DIRECT_DATABASE:
        return []
    return [
        checks.Warning(
            "DATABASE_POOLER is transaction, and DATABASE_DIRECT_URL is not set, so migrations go "
            "through the pooler",
            hint="Set it to the address of PostgreSQL itself, with the same database.",
            id="shipcrowd.W023",
        )
    ]


@register(checks.Tags.database)
def check_pooler(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W021, W022 and W024, from the connection. Only `check --database` asks."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        # A pooler makes up the number that it tells its clients, because they share processes.
        pooled = cursor.fetchone()[0] != connection.connection.info.backend_pid
        cursor.execute(_ENDS_IDLE, ["idle_in_transaction_session_timeout"])
        ends_idle = cursor.fetchone()[0]
    declared = settings.DATABASE_POOLER is not Pooler.NONE
    found: list[CheckMessage] = []
    if pooled and not declared:
        found.append(
            checks.Warning(
                "DATABASE_URL leads to a pooler, and DATABASE_POOLER is not set",
                hint="Set it to how it pools: transaction or session.",
                id="shipcrowd.W021",
            )
        )
    if declared and not pooled:
        found.append(
            checks.Warning(
                f"DATABASE_POOLER is {settings.DATABASE_POOLER}, but DATABASE_URL leads to "
                "PostgreSQL itself",
                hint="Leave DATABASE_POOLER out, or correct DATABASE_URL.",
                id="shipcrowd.W024",
            )
        )
    if pools_transactions(connection) and not ends_idle:
        found.append(
            checks.Warning(
                "Behind the pooler nothing ends a transaction that a dead process has left open, "
                "and its locks are kept",
                hint="ALTER ROLE … SET idle_in_transaction_session_timeout = '60s', and have the "
                "pooler connect anew.",
                id="shipcrowd.W022",
            )
        )
    return found
