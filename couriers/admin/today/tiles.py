"""The tiles of the first page: a number, a word of state, and the list that shows as many rows."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.admin.today.facts import accounts_for, tallies_for
from couriers.admin.today.work_filter import url_of
from couriers.operations import alerts, health_lists, queues, worklists
from couriers.operations.health_lists import AccountFacts, logins_failed, open_circuits
from couriers.operations.staff import companies_of
from couriers.operations.worklists import Tally, Worklist
from couriers.resilience.shared import RedisUnavailable


class State(enum.StrEnum):
    """How well something is. Each is shown by a word and an icon, not by its colour alone."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"
    UNKNOWN = "unknown"
    OFF = "not configured"


ICONS = {
    State.GOOD: "check_circle",
    State.LOOK: "visibility",
    State.BAD: "error",
    State.UNKNOWN: "help",
    State.OFF: "do_not_disturb_on",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile. `number` is None where it is not known; `url` where the site has no such list."""

    name: str
    title: str
    number: int | None
    state: State
    note: str = ""
    url: str | None = None

    @property
    def icon(self) -> str:
        """The name of the icon of its state."""
        return ICONS[self.state]


@dataclass(frozen=True, slots=True)
class Rule:
    """The state of a list with rows: `state`, or BAD once the oldest is older than `bad_after`."""

    state: State = State.LOOK
    bad_after: dt.timedelta | None = None


Reader = Callable[[list[AccountFacts]], dict[str, float]]
TOKEN_SOON = dt.timedelta(hours=1)
_BAD = Rule(State.BAD)
RULES: Mapping[str, Rule] = {
    # As the alerts BookingInDoubtTooLong and InboxBehind say.
    "doubts": Rule(State.LOOK, dt.timedelta(minutes=15)),
    "due-callbacks": Rule(State.GOOD, dt.timedelta(minutes=1)),
    # Its merchant has had no news for an hour. After a day it is disabled.
    "endpoints-failing": Rule(State.LOOK, dt.timedelta(hours=1)),
    **dict.fromkeys(
        ("flags", "callbacks", "chunks", "registrations", "refused-callbacks", "endpoints"), _BAD
    ),
}  # fmt: skip
WITHOUT_AGE = {
    "refused-callbacks", "accounts-restricted", "couriers-restricted", "failed-over",
}  # fmt: skip


def work_tiles(request: HttpRequest, site: str) -> list[Tile]:
    """Return the tiles of the work lists that the user may see."""
    return _counted(request, site, worklists.registered())


def health_tiles(request: HttpRequest, site: str) -> list[Tile]:
    """Return the tiles of health: those of lists, then what is no row of a table."""
    counted = _counted(
        request,
        site,
        [one for one in health_lists.registered() if one.name not in health_lists.COUNTED_APART],
    )
    return [*_account_tiles(request, site), *counted, _queue_tile(site), _alert_tile(site)]


def _counted(request: HttpRequest, site: str, lists: Collection[Worklist]) -> list[Tile]:
    visible = [one for one in lists if request.user.has_perm(one.permission)]
    found = tallies_for(request) if visible else {}
    if found is None:
        return [_unknown(one, site, "the database does not answer") for one in visible]
    return [_of_tally(one, found[one.name], site) for one in visible]


def _of_tally(one: Worklist, tally: Tally, site: str) -> Tile:
    rule, note = RULES.get(one.name, Rule()), ""
    state = rule.state if tally.count else State.GOOD
    if tally.count and tally.oldest and one.name not in WITHOUT_AGE:
        note = f"the oldest for {timesince(tally.oldest)}"
        if rule.bad_after and timezone.now() - tally.oldest > rule.bad_after:
            state = State.BAD
    return Tile(one.name, one.title, tally.count, state, note, url_of(one, site))


def _unknown(one: Worklist, site: str, note: str) -> Tile:
    return Tile(one.name, one.title, None, State.UNKNOWN, note, url_of(one, site))


def _account_tiles(request: HttpRequest, site: str) -> list[Tile]:
    """The tiles that follow from Redis, and when the last good callback came."""
    lists = {one.name: one for one in health_lists.registered()}
    if not request.user.has_perm(lists["circuits"].permission):
        return []
    accounts = accounts_for(request)
    if accounts is None:
        note = "the database does not answer"
        return [_unknown(lists[name], site, note) for name in ("circuits", "logins")]
    accounts = _visible(request, accounts)
    times = [one.accepted_at for one in accounts if one.accepted_at]
    good = f"the last one {timesince(max(times))} ago" if times else "none has come yet"
    state = State.GOOD if times or not accounts else State.LOOK
    url = url_of(lists["with-callbacks"], site)
    return [
        _of_redis(lists["circuits"], site, accounts, open_circuits),
        _of_redis(lists["logins"], site, accounts, logins_failed, _tokens_that_end(accounts)),
        Tile("with-callbacks", "Accounts with good callbacks", len(times), state, good, url),
    ]


def _visible(request: HttpRequest, accounts: list[AccountFacts]) -> list[AccountFacts]:
    ids = companies_of(request.user)
    return accounts if ids is None else [one for one in accounts if one.company_id in ids]


def _tokens_that_end(accounts: list[AccountFacts]) -> str:
    """How many tokens of accounts that are on end soon; the next call with each logs in again."""
    now = timezone.now()
    ends = [one.token_ends_at for one in accounts if one.token_ends_at and not one.is_off]
    soon = sum(now < end < now + TOKEN_SOON for end in ends)
    tokens = "1 token ends" if soon == 1 else f"{soon} tokens end"
    return f"{tokens} within the hour" if soon else ""


def _of_redis(
    one: Worklist, site: str, accounts: list[AccountFacts], read: Reader, note: str = ""
) -> Tile:
    try:
        found = read(accounts)
    except RedisUnavailable:
        return _unknown(one, site, "Redis does not answer")
    if found:
        since = dt.datetime.fromtimestamp(min(found.values()), dt.UTC)
        note = f"the first for {timesince(since)}"
    state = State.BAD if found else State.GOOD
    return Tile(one.name, one.title, len(found), state, note, url_of(one, site))


def _queue_tile(site: str) -> Tile:
    url = reverse("admin:shipcrowd_queues", current_app=site)
    title = "Queues behind"
    try:
        found, age = queues.queues(), queues.beat_age()
    except (BrokerUnavailable, RedisUnavailable):
        return Tile("queues", title, None, State.UNKNOWN, "Redis does not answer", url)
    behind = sum(one.is_behind for one in found)
    state = State.BAD if behind else State.GOOD
    note = f"{sum(one.count for one in found)} tasks wait"
    if age is None or age > queues.BEAT_BUDGET:
        state, note = State.BAD, "beat is silent: no periodic task runs"
    return Tile("queues", title, behind, state, note, url)


def _alert_tile(site: str) -> Tile:
    title = "Alerts that fire"
    url = reverse("admin:shipcrowd_alerts", current_app=site)
    if not alerts.is_configured():
        return Tile("alerts", title, None, State.OFF, "PROMETHEUS_URL is not set", url)
    try:
        found = alerts.firing()
    except RedisUnavailable:
        return Tile("alerts", title, None, State.UNKNOWN, "Redis does not answer", url)
    if found is None:
        return Tile("alerts", title, None, State.UNKNOWN, "Prometheus was not read lately", url)
    critical = any(one.severity == "critical" for one in found)
    state = State.BAD if critical else State.LOOK if found else State.GOOD
    return Tile("alerts", title, len(found), state, "", url)
