"""API keys that a company makes for itself: with a key, and never with more than that key has.

What a key may be used for, from where and until when bounds the keys that are made with it, so that
a key which leaks opens nothing that it did not open itself.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import ScopeMissing
from couriers.models import Company, CompanyApiKey
from couriers.models.audit import record

MAX_KEYS = 100  # of one company that are not revoked


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that has just been made. `secret` is the whole key, which is stored nowhere."""

    row: CompanyApiKey
    secret: str


def keys_for(maker: CompanyApiKey) -> QuerySet[CompanyApiKey]:
    """Return the company's keys that `maker` may see, newest first, without revoked ones.

    A test key sees test keys alone, a live key all.
    """
    mine = CompanyApiKey.objects.filter(company=maker.company_id, revoked=False)
    if maker.is_test:
        mine = mine.filter(is_test=True)
    return mine.order_by("-created", "prefix")


def create_key(
    maker: CompanyApiKey,
    *,
    name: str,
    is_test: bool | None,
    scopes: Sequence[str] | None,
    networks: Sequence[str] | None,
    expires_at: dt.datetime | None,
) -> NewKey:
    """Make a key of the company of `maker`. What is None is as `maker` has it.

    Raises InvalidRequest, naming each field that asks for more than `maker` has, and where the
    company has MAX_KEYS keys.
    """
    mode = maker.is_test if is_test is None else is_test
    scopes = maker.scopes if scopes is None else sorted(set(scopes))
    networks = maker.allowed_networks if networks is None else networks
    expires_at = expires_at or maker.expiry_date
    problems = [
        FieldProblem(field, problem)
        for field, problem in (
            ("is_test", _mode_problem(maker, is_test=mode)),
            ("scopes", _scopes_problem(maker, scopes)),
            ("allowed_networks", _networks_problem(maker, networks)),
            ("expires_at", _end_problem(maker, expires_at)),
        )
        if problem
    ]
    if problems:
        raise InvalidRequest(problems)
    fields = {
        "name": name,
        "is_test": mode,
        "scopes": list(scopes),
        "allowed_networks": list(networks),
        "expiry_date": expires_at,
    }
    with transaction.atomic():
        made = _store(maker.company, fields)
        record(made.row, "add", after=_without_nothing(fields))
    return made


def roll_key(maker: CompanyApiKey, key: CompanyApiKey, *, overlap: dt.timedelta) -> NewKey:
    """Make a key like `key`, which then ends after `overlap`, or at its own end before.

    Raises ScopeMissing for a key that may be used for more than `maker`, and InvalidRequest for one
    that may be used from elsewhere or for longer: who rolls a key gets to know it.
    """
    for scope in key.scopes:
        if not maker.has_scope(scope):
            raise ScopeMissing(scope)
    wider = _networks_problem(maker, key.allowed_networks) or _end_problem(maker, key.expiry_date)
    if wider:
        raise InvalidRequest([FieldProblem("key", wider)])
    with transaction.atomic():
        fields = {name: getattr(key, name) for name in _COPIED}
        made = _store(key.company, fields)
        before = key.expiry_date
        end = timezone.now() + overlap
        key.expiry_date = min(before, end) if before else end
        key.save(update_fields=["expiry_date"])
        record(made.row, "add", after=_without_nothing(fields), details={"in_place_of": key.prefix})
        record(
            key, "roll", before={"expiry_date": before}, after={"expiry_date": key.expiry_date},
            details={"successor": made.row.prefix},
        )  # fmt: skip
    return made


def revoke_key(key: CompanyApiKey) -> None:
    """End a key at once and for ever."""
    with transaction.atomic():
        key.revoked = True
        key.save(update_fields=["revoked"])
        record(key, "revoke", before={"revoked": False}, after={"revoked": True})


_COPIED = ("name", "is_test", "scopes", "allowed_networks", "expiry_date")


def _store(company: Company, fields: Mapping[str, Any]) -> NewKey:
    # The lock on the company keeps two requests from making the last key at once.
    Company.objects.select_for_update(no_key=True).only("pk").get(pk=company.pk)
    if CompanyApiKey.objects.filter(company=company, revoked=False).count() >= MAX_KEYS:
        problem = f"the company has {MAX_KEYS} keys: revoke one first"
        raise InvalidRequest([FieldProblem("name", problem)])
    row, secret = CompanyApiKey.objects.create_key(company=company, **fields)
    assert isinstance(row, CompanyApiKey)
    return NewKey(row, secret)


def _without_nothing(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _mode_problem(maker: CompanyApiKey, *, is_test: bool) -> str:
    return "a test key makes test keys alone" if maker.is_test and not is_test else ""


def _scopes_problem(maker: CompanyApiKey, scopes: Sequence[str]) -> str:
    missing = [scope for scope in scopes if not maker.has_scope(scope)]
    return f"the key of this request does not have {', '.join(missing)} itself" if missing else ""


def _networks_problem(maker: CompanyApiKey, networks: Sequence[str]) -> str:
    """Return why a key for these networks could be used from where `maker` cannot."""
    if not maker.allowed_networks:
        return ""
    own = [ipaddress.ip_network(text) for text in maker.allowed_networks]
    wanted = [ipaddress.ip_network(text) for text in networks]
    inside = [one for one in wanted if any(_is_within(one, network) for network in own)]
    if wanted and len(inside) == len(wanted):
        return ""
    return "the key of this request may not be used from everywhere there"


def _is_within(one: Any, network: Any) -> bool:
    return one.version == network.version and one.subnet_of(network)


def _end_problem(maker: CompanyApiKey, end: dt.datetime | None) -> str:
    if end is not None and end <= timezone.now():
        return "is over"
    if maker.expiry_date is not None and (end is None or end > maker.expiry_date):
        return "the key of this request ends before"
    return ""
