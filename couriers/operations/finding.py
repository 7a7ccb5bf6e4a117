"""Finding shipments by what a person has of them: a number, an id, a phone, or a name's beginning.

Each way of finding has an index of its own, so that the table is read by none. Phones are compared
by their keyed hash (couriers/models/phones.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, CharField, F, Func, QuerySet, Value

from couriers.contract.india.phones import parse_phone
from couriers.contract.text import make_storable
from couriers.models import Shipment
from couriers.models.phones import phone_hashes
from couriers.operations.staff import visible_to

MAX_TERMS = 500  # in one search
MAX_FOUND = 500  # shipments of one search
MIN_NAME = 3  # characters of a name's beginning
OWN_ID = "shp_"
PHONE_DIGITS = 10

_SEPARATORS = re.compile(r"[\r\n\t,;]+")


@dataclass(frozen=True, slots=True)
class Found:
    """The shipments of a search, and what of it no shipment has.

    `missing` is in the words of the search. `is_cut` where more shipments match than `ids` has.
    `has_phone` where part of the search reads as a phone: it belongs in no address of a page.
    """

    ids: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    is_cut: bool = False
    has_phone: bool = False
    terms: int = 0

    @property
    def too_many(self) -> bool:
        """Whether the search has more terms than are looked for: nothing was."""
        return self.terms > MAX_TERMS


def find_shipments(user: Any, text: str) -> Found:
    """Return the shipments of the companies that the user may see which match the text.

    Terms are separated by line breaks, commas, semicolons or tabs. One with spaces is looked for
    as a whole first, and else word by word. A single term may be the beginning of a consignee's
    name. Makes one statement, or two.
    """
    terms = [" ".join(part.split()) for part in _SEPARATORS.split(make_storable(text))]
    terms = list(dict.fromkeys(term for term in terms if term))
    words = {term: [] if _phone(term) else term.split(" ") for term in terms}
    count = sum(max(1, len(parts)) for parts in words.values())
    if count > MAX_TERMS:
        return Found(terms=count)
    candidates = dict.fromkeys([*terms, *(word for parts in words.values() for word in parts)])
    by_term = _exact_matches(user, candidates)
    ids, missing = _sum_up(terms, words, by_term)
    if not ids and len(terms) == 1 and len(terms[0]) >= MIN_NAME:
        ids = dict.fromkeys(_named(user, terms[0]))
        missing = [] if ids else missing
    return Found(
        ids=tuple(ids)[:MAX_FOUND],
        missing=tuple(missing),
        is_cut=len(ids) > MAX_FOUND,
        has_phone=any(_phone(one) for one in candidates),
        terms=count,
    )


def _phone(term: str) -> str | None:
    """The ten digits of a term that reads as a phone. Most numbers need no closer look."""
    if sum(map(str.isdigit, term)) < PHONE_DIGITS:
        return None
    return parse_phone(term)


def _sum_up(
    terms: Iterable[str], words: dict[str, list[str]], by_term: dict[str, list[str]]
) -> tuple[dict[str, None], list[str]]:
    """Return the ids that were found, each once, and the terms or words that were not."""
    ids: dict[str, None] = {}
    missing: list[str] = []
    for term in terms:
        parts = [term] if term in by_term else words[term]
        found = [part for part in parts if part in by_term]
        for part in found:
            ids |= dict.fromkeys(by_term[part])
        missing += [part for part in parts if part not in by_term] if found else [term]
    return ids, missing


def _exact_matches(user: Any, terms: Collection[str]) -> dict[str, list[str]]:
    """Return the ids of the shipments of each term that some have."""
    written: dict[str, set[str]] = defaultdict(set)  # as it may be stored, the terms it stands for
    for term in terms:
        for spelling in (term, term.upper()):
            written[spelling].add(term)
        if term.lower().startswith(OWN_ID):
            written[term.lower()].add(term)
    hashes: dict[str, str] = {}
    for term in terms:
        if digits := _phone(term):
            hashes |= dict.fromkeys(phone_hashes(digits), term)
    branches = [*_by_number(list(written)), *_by_phone(list(hashes))]
    rows = [visible_to(user, branch).order_by() for branch in branches]
    if not rows:
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for pk, matched in rows[0].union(*rows[1:], all=True)[: MAX_FOUND + 1]:
        for one in matched.split("\n"):
            for term in written.get(one, {hashes[one]} if one in hashes else ()):
                found[term].append(pk)
    return found


def _by_number(numbers: list[str]) -> list[QuerySet[Any, Any]]:
    """The statements that find by a number, one for each index. Each row is an id and the number.

    The conditions on empty columns are those of the partial indexes: PostgreSQL does not derive
    them from a list of more than a hundred values.
    """
    if not numbers:
        return []
    rows = Shipment.objects.all()
    former = Func(
        F("former_tracking_ids"), Value("\n"), function="array_to_string", output_field=CharField()
    )
    return [
        rows.filter(_any_of("pk", numbers)).values_list("pk", F("pk")),
        rows.filter(_any_of("order_number", numbers)).values_list("pk", "order_number"),
        rows.filter(_any_of("tracking_id", numbers)).exclude(tracking_id="").values_list(
            "pk", "tracking_id"
        ),
        rows.filter(_any_of("waybill", numbers)).exclude(waybill="").values_list("pk", "waybill"),
        rows.filter(former_tracking_ids__overlap=numbers).exclude(former_tracking_ids=[])
        .values_list("pk", former),
    ]  # fmt: skip


def _any_of(column: str, values: list[str]) -> Func:
    """The condition that a column has one of the values, which are one parameter, not hundreds."""
    array = Value(values, output_field=ArrayField(CharField()))
    return Func(
        F(column), array, template="%(expressions)s)", arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )  # fmt: skip


def _by_phone(hashes: list[str]) -> list[QuerySet[Any, Any]]:
    if not hashes:
        return []
    rows = Shipment.objects.filter(phone_hash__in=hashes).exclude(phone_hash="")
    return [rows.values_list("pk", "phone_hash")]


def _named(user: Any, name: str) -> list[str]:
    """Return shipments of consignees whose names begin so, in upper or lower case."""
    rows = Shipment.objects.filter(consignee_name__istartswith=name)
    return list(visible_to(user, rows).order_by().values_list("pk", flat=True)[: MAX_FOUND + 1])
