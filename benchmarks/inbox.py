"""Shared by the benchmarks of the inbox: servers, an account, and millions of stored events."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

from benchmarks.accounts import create_account
from couriers.models import CourierAccount
from shipcrowd.embedded import Servers
from tests.support.audit_trail import emptied_audit_trail
from webhooks.models import WebhookEvent

SECRET = "a-secret-of-benches"
EVENTS_TABLE = WebhookEvent._meta.db_table
UNIQUE_CONSTRAINT = "webhooks_event_stored_once"


def current_servers() -> Servers:
    """Return the servers that this process uses."""
    return Servers(settings.DATABASE_URL, settings.REDIS_URL)


def account_with_secret() -> CourierAccount:
    """Create an account whose callbacks are signed with SECRET. Its courier is unreachable."""
    account = create_account("http://127.0.0.1:9")
    account.webhook_secret = SECRET
    account.save()
    return account


def empty_inbox() -> None:
    """Delete all events."""
    execute(f"TRUNCATE {EVENTS_TABLE}")


def insert_processed_events(
    account: CourierAccount, begin: int, end: int, days_old: int = 1
) -> None:
    """Insert processed events numbered from `begin` up to, not including, `end`.

    PostgreSQL generates them. The unique constraint is dropped meanwhile and created again.
    """
    with transaction.atomic():
        execute(f"ALTER TABLE {EVENTS_TABLE} DROP CONSTRAINT {UNIQUE_CONSTRAINT}")
        execute(
            f"""
            INSERT INTO {EVENTS_TABLE} (account_id, topic, content_hash, body, state, attempts,
                next_attempt_at, reason, received_at, processed_at)
            SELECT '{account.pk}', 'track_updated', sha256(n::text::bytea), n::text::bytea,
                'processed', 0, now() - interval '{days_old} days', '',
                now() - interval '{days_old} days', now() - interval '{days_old} days'
            FROM generate_series({begin}, {end - 1}) AS n
            """
        )
        execute(
            f"ALTER TABLE {EVENTS_TABLE} ADD CONSTRAINT {UNIQUE_CONSTRAINT}"
            " UNIQUE (account_id, content_hash)"
        )
    vacuum(EVENTS_TABLE)


def vacuum(table: str) -> None:
    """Vacuum, analyse and checkpoint now, so that none of it happens during a measurement."""
    execute(f"VACUUM (ANALYZE) {table}")
    execute("CHECKPOINT")


def execute(statement: str) -> None:
    """Execute a statement with enough memory to build large indexes.

    A TRUNCATE that cascades may empty the audit trail, too.
    """
    with emptied_audit_trail(), connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(statement)
