"""What the benchmarks of the inbox share: an account, its parcels, rows by the million."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import connection, transaction

from couriers.models import CourierAccount
from couriers_ekart.seeding import seed
from shipcrowd.embedded import Servers
from webhooks.models import WebhookEvent

SECRET = "a-secret-of-benches"
EVENTS = WebhookEvent._meta.db_table
ONCE = "webhooks_event_stored_once"


def servers() -> Servers:
    """The servers that this run is on."""
    return Servers(settings.DATABASE_URL, settings.REDIS_URL)


def new_account() -> CourierAccount:
    """An account of a company of its own, in an inbox that is emptied first."""
    execute(f"TRUNCATE {EVENTS}")
    seeded = seed(
        f"bench-{uuid.uuid4().hex[:8]}",
        {
            "name": "Bench", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Road",
            "city": "Bengaluru", "state": "Karnataka", "pincode": "560001", "phone": "9845012345",
        },
        {
            "base_url": "http://127.0.0.1:9", "client_id": "sandbox", "username": "sandbox",
            "password": "sandbox",
        },
        {},
    )  # fmt: skip
    account: CourierAccount = seeded.account
    account.webhook_secret = SECRET
    account.save()
    return account


def fill(account: CourierAccount, begin: int, end: int, days_old: int = 1) -> None:
    """Processed events by the million, made by the server itself, with all their indexes."""
    with transaction.atomic():
        execute(f"ALTER TABLE {EVENTS} DROP CONSTRAINT {ONCE}")
        execute(
            f"""
            INSERT INTO {EVENTS} (account_id, topic, content_hash, body, state, attempts,
                next_attempt_at, reason, received_at, processed_at)
            SELECT '{account.pk}', 'track_updated', sha256(n::text::bytea), n::text::bytea,
                'processed', 0, now() - interval '{days_old} days', '',
                now() - interval '{days_old} days', now() - interval '{days_old} days'
            FROM generate_series({begin}, {end - 1}) AS n
            """
        )
        execute(f"ALTER TABLE {EVENTS} ADD CONSTRAINT {ONCE} UNIQUE (account_id, content_hash)")
    settle(EVENTS)


def settle(table: str) -> None:
    """Have the server do now what it would do at some time during the measurement."""
    execute(f"VACUUM (ANALYZE) {table}")
    execute("CHECKPOINT")


def execute(statement: str) -> None:
    """Run a statement of the benchmarks' own."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(statement)
