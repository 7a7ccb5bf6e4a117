"""What became of each account's callbacks, counted in the process and written by a thread.

A request only counts: it writes nothing, whoever sends it and however often. The thread makes one
statement every few seconds for all accounts. Only accounts that exist are counted, so strangers
cannot make the tallies grow. A process that is killed loses what it has not written yet.

Of the refused callbacks of an account one is looked at each time, to find out whether it was signed
with the account's secret in another way than the settings say.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.utils.datastructures import CaseInsensitiveMapping

from couriers.contract.logs import get_logger
from couriers.contract.receiver import Callback, Topic, WebhookReceiver
from couriers.models import CallbackTally, CourierAccount
from couriers.resilience.background import BackgroundWork, database_work
from webhooks.accounts import CallbackAccount

log = get_logger(__name__)

WRITE_PAUSE = 10.0  # seconds between two writes of one process
ACCEPTED_WAIT = 60.0  # seconds until an accepted callback is written, where none is refused
MAX_SAMPLES = 50  # refused callbacks that are kept to be looked at, of all accounts
MAX_HEADERS = 20  # of a sample
MIN_SIGNATURE, MAX_SIGNATURE = 27, 200  # characters of a header that may be a signature
MAX_EXPLANATION = 300  # characters

_MERGED = """
    accepted_at = GREATEST(kept.accepted_at, excluded.accepted_at),
    refused_at = GREATEST(kept.refused_at, excluded.refused_at),
    refused_count = kept.refused_count + excluded.refused_count,
    explanation = COALESCE(NULLIF(excluded.explanation, ''), kept.explanation),
    explained_at = GREATEST(kept.explained_at, excluded.explained_at)
"""
# The join leaves out accounts that were deleted meanwhile. The order prevents deadlocks.
_WRITE = f"""
INSERT INTO {CallbackTally._meta.db_table} AS kept
    (account_id, accepted_at, refused_at, refused_count, explanation, explained_at)
SELECT given.* FROM unnest(
    %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[], %s::timestamptz[]
) AS given (account_id, accepted_at, refused_at, refused_count, explanation, explained_at)
JOIN {CourierAccount._meta.db_table} AS account ON account.id = given.account_id
ORDER BY given.account_id
ON CONFLICT (account_id) DO UPDATE SET {_MERGED}
"""  # noqa: S608 - the tables' own names


@dataclass(frozen=True, slots=True, repr=False)
class RefusedCallback:
    """A refused callback, kept for some seconds to be looked at. Its repr shows nothing."""

    account: CallbackAccount
    receiver: WebhookReceiver
    topic: Topic | None
    callback: Callback
    request_id: str


@dataclass(slots=True)
class _Counted:
    """What one account's callbacks have come to since the last write. Times are seconds (UTC)."""

    accepted_at: float | None = None
    refused_at: float | None = None
    refused: int = 0
    sample: RefusedCallback | None = None
    explanation: str = ""


_counted: dict[str, _Counted] = {}
_samples = 0
_lock = threading.Lock()


def note_accepted(account_id: str) -> None:
    """Note that a callback of the account was accepted now."""
    with _lock:
        _of(account_id).accepted_at = time.time()
    _writer.start()


def note_refused(account_id: str, refused: RefusedCallback) -> None:
    """Note that a callback of the account, which exists, was refused now."""
    global _samples
    with _lock:
        counted = _of(account_id)
        counted.refused += 1
        counted.refused_at = time.time()
        if counted.sample is None and _samples < MAX_SAMPLES:
            headers = _possible_signatures(refused.callback.headers)
            callback = dataclasses.replace(refused.callback, headers=headers)
            counted.sample = dataclasses.replace(refused, callback=callback)
            _samples += 1
    _writer.request()


def write() -> None:
    """Write what has been counted. Where the database is away, it is kept for the next time."""
    counted = _take()
    if not counted:
        return
    for account_id, one in counted.items():
        if one.sample is not None:
            one.explanation = _explanation(one.sample)[:MAX_EXPLANATION] or one.explanation
            _log_sample(account_id, one.sample, one)
            one.sample = None
    rows = sorted(counted.items())
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(
                _WRITE,
                [
                    [account_id for account_id, _ in rows],
                    [_time(one.accepted_at) for _, one in rows],
                    [_time(one.refused_at) for _, one in rows],
                    [one.refused for _, one in rows],
                    [one.explanation for _, one in rows],
                    [_time(one.refused_at if one.explanation else None) for _, one in rows],
                ],
            )
    except Error as error:
        log.warning("tally_not_written", error=type(error).__name__)
        _put_back(counted)


def forget() -> None:
    """Forget what has been counted."""
    _take()


def _of(account_id: str) -> _Counted:
    """The account's counts. The caller holds the lock."""
    found = _counted.get(account_id)
    if found is None:
        found = _counted[account_id] = _Counted()
    return found


def _take() -> dict[str, _Counted]:
    global _counted, _samples
    with _lock:
        taken, _counted, _samples = _counted, {}, 0
    return taken


def _put_back(counted: Mapping[str, _Counted]) -> None:
    with _lock:
        for account_id, one in counted.items():
            now = _of(account_id)
            now.accepted_at = now.accepted_at or one.accepted_at
            now.refused_at = now.refused_at or one.refused_at
            now.refused += one.refused
            now.explanation = now.explanation or one.explanation


def _log_sample(account_id: str, refused: RefusedCallback, counted: _Counted) -> None:
    """Log one line for all callbacks of an account that were refused since the last write."""
    log.warning(
        "callbacks_refused",
        account=account_id,
        courier=refused.account.courier,
        count=counted.refused,
        reason=counted.explanation or "not signed with the account's secret",
        request_id=refused.request_id,
    )


def _possible_signatures(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the first headers that are as long as signatures are."""
    found: dict[str, str] = {}
    for name in headers:
        if MIN_SIGNATURE <= len(value := headers[name]) <= MAX_SIGNATURE:
            found[name] = value
            if len(found) == MAX_HEADERS:
                break
    return CaseInsensitiveMapping(found)


def _explanation(refused: RefusedCallback) -> str:
    """Return why the callback was refused, in a sentence; "" if it may be a stranger's."""
    if not refused.account.secrets:
        return "The account has no webhook secret, so no callback is accepted."
    receiver, callback = refused.receiver, refused.callback
    try:
        secrets = refused.account.secrets_of(refused.topic)
        if receiver.verify(callback, refused.account.ended_secrets_of(refused.topic)):
            return (
                "One was signed with the previous webhook secret, which has ended: have the "
                "courier sign with the current one."
            )
        if explanation := receiver.explain_refusal(callback, secrets):
            return explanation
        for other in {None, *receiver.own_path_topics} - {refused.topic}:
            if receiver.verify(callback, refused.account.secrets_of(other)):
                return (
                    "One was signed for another path of this account than the one that it was sent "
                    "to: register the account's URLs again. If that does not end it, somebody "
                    "replays callbacks."
                )
    except Exception as error:  # noqa: BLE001 - a plug-in's fault must not end the thread
        log.error("explain_refusal_failed", error=type(error).__name__)
    return ""


def _time(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


_NAME = "callback-tally"
_writer = BackgroundWork(_NAME, database_work(_NAME, write, WRITE_PAUSE), every=ACCEPTED_WAIT)
