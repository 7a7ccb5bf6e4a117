"""When each API key was last used, noted in the process and written by a thread.

A request makes no statement for it. The thread makes one every minute for all keys, so the time in
the table may be a minute behind, and a process that is killed loses what it has not written.
"""

from __future__ import annotations

import datetime as dt
import threading
import time

from django.db import DEFAULT_DB_ALIAS, Error, connections

from couriers.contract.logs import get_logger
from couriers.models import CompanyApiKey
from couriers.resilience.background import BackgroundWork, database_work

log = get_logger(__name__)

WRITE_PAUSE = 60.0  # seconds between two writes of one process
# A key that another process writes at the moment is skipped: it gets about the same time.
_WRITE = f"""
UPDATE {CompanyApiKey._meta.db_table} AS stored SET last_used_at = given.at
FROM unnest(%s::text[], %s::timestamptz[]) AS given (prefix, at)
WHERE stored.prefix = given.prefix
    AND (stored.last_used_at IS NULL OR stored.last_used_at < given.at)
    AND stored.id IN (
        SELECT id FROM {CompanyApiKey._meta.db_table} WHERE prefix = ANY(%s)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
"""  # noqa: S608 - the table's own name

_used: dict[str, float] = {}  # seconds (UTC) by the key's prefix
_lock = threading.Lock()


def note(prefix: str) -> None:
    """Note that the key with this prefix was used now."""
    with _lock:
        _used[prefix] = time.time()
    _writer.request()


def write() -> None:
    """Write what was noted. Where the database is away, it is lost."""
    global _used
    with _lock:
        used, _used = _used, {}
    if not used:
        return
    times = [dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds in used.values()]
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(_WRITE, [list(used), times, list(used)])
    except Error as error:
        log.warning("key_use_not_written", error=type(error).__name__)


_NAME = "api-key-use"
_writer = BackgroundWork(_NAME, database_work(_NAME, write, WRITE_PAUSE))
