"""A company's courier rules: stored, put in order and deleted, and what is odd about them.

What can never work is refused. What works, but hardly as meant, becomes a warning that is shown
beside the rule. The rules of a company and mode have the positions 1, 2, 3, …
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.field_problems import FieldProblems
from couriers.contract.registry import CourierFactory
from couriers.contract.types import FieldWarning
from couriers.models import Company, CourierAccount, CourierRule
from couriers.models.audit import record, record_change, values_of
from couriers.models.courier_rule import MAX_RULES
from couriers.models.rule_terms import InvalidRule, RuleTerms

# What a company says of a rule; its position follows from the order of the rules.
FIELDS = ("name", "is_enabled", "conditions", "strategy", "couriers", "fail_over",
          "book_after_doubt")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CompanyRules:
    """The rules of a company in one mode, in order, each with its warnings."""

    rules: tuple[tuple[CourierRule, tuple[FieldWarning, ...]], ...]

    def of(self, pk: str) -> tuple[CourierRule, tuple[FieldWarning, ...]]:
        """Return one of them with its warnings. Raises CourierRule.DoesNotExist."""
        for rule, warnings in self.rules:
            if rule.pk == pk:
                return rule, warnings
        raise CourierRule.DoesNotExist


def company_rules(company: Company, *, is_test: bool) -> CompanyRules:
    """Return the rules of a company in one mode with their warnings, by two statements."""
    rules = list(_rules(company, is_test=is_test))
    codes = _couriers_of(company, is_test=is_test)
    return CompanyRules(tuple((rule, _warnings(rule, rules, codes)) for rule in rules))


def rule_problems(rule: CourierRule) -> FieldProblems:
    """Return what is wrong with a rule that is not stored yet, by the paths of its fields."""
    problems = rule.problems()
    mine = _couriers_of(rule.company, is_test=rule.is_test)
    if not any(one.field.startswith("couriers") for one in problems):
        for at, each in enumerate(rule.couriers):
            problem = _courier_problem(each["courier"], mine)
            problems.refuse(f"couriers[{at}].courier", problem)
    return problems


def store_rule(
    rule: CourierRule,
    data: Mapping[str, Any],
    *,
    position: int | None = None,
    actor: AbstractBaseUser | None = None,
) -> CourierRule:
    """Store a rule with these FIELDS at a position, the last one where a new rule names none.

    Raises InvalidRequest with all problems.
    """
    with transaction.atomic():
        stored = _locked(rule.company, rule.is_test)
        others = [each for each in stored if each.pk != rule.pk]
        is_new = rule._state.adding
        before = None if is_new else values_of(rule, data)
        for name, value in data.items():
            setattr(rule, name, value)
        rule.name = rule.name.strip()
        problems = rule_problems(rule)
        if any(each.name == rule.name for each in others):
            problems.refuse("name", "is the name of another rule")
        if is_new and len(others) >= MAX_RULES:
            problems.refuse("name", f"the company has {MAX_RULES} rules, which is the limit")
        if problems:
            raise InvalidRequest(problems)
        at = len(others) if position is None else position - 1
        if not is_new and position is None:
            at = sum(each.position < rule.position for each in others)
        rule.position = 0  # of no rule, until all are numbered
        rule.save()
        record_change(rule, before, {name: getattr(rule, name) for name in data}, actor=actor)
        ordered = [*others[:at], rule, *others[at:]]
        _number(ordered)
        if not is_new:
            _record_order(rule.company, stored, ordered, actor)
    return rule


def reorder_rules(
    company: Company, ids: Sequence[str], *, is_test: bool, actor: AbstractBaseUser | None = None
) -> None:
    """Put the rules of a company and mode in this order. Raises InvalidRequest unless it is all."""
    with transaction.atomic():
        rules = {each.pk: each for each in _locked(company, is_test)}
        if len(ids) != len(rules) or set(ids) != rules.keys():
            message = f"must name each of the {len(rules)} rules once"
            raise InvalidRequest([FieldProblem("rules", message)])
        before, ordered = list(rules.values()), [rules[pk] for pk in ids]
        _number(ordered)
        _record_order(company, before, ordered, actor)


def move_rule(rule: CourierRule, places: int, *, actor: AbstractBaseUser | None = None) -> bool:
    """Move a rule by so many places, up where they are negative, as the rules stand now.

    Returns False where there is no such place, and changes nothing.
    """
    with transaction.atomic():
        stored = _locked(rule.company, rule.is_test)
        at = [each.pk for each in stored].index(rule.pk)
        if not 0 <= at + places < len(stored):
            return False
        ordered = [*stored[:at], *stored[at + 1 :]]
        ordered.insert(at + places, stored[at])
        _number(ordered)
        _record_order(rule.company, stored, ordered, actor)
    return True


def delete_rule(rule: CourierRule, *, actor: AbstractBaseUser | None = None) -> None:
    """Delete a rule. Shipments that it chose the courier of keep its name."""
    with transaction.atomic():
        _locked(rule.company, rule.is_test)
        record(rule, "delete", actor=actor, before={name: getattr(rule, name) for name in FIELDS})
        rule.delete()
        _number(list(_rules(rule.company, is_test=rule.is_test)))


def _rules(company: Company, *, is_test: bool) -> Any:
    rows = CourierRule.objects.filter(company=company, is_test=is_test)
    return rows.order_by("position", "id")


def _locked(company: Company, is_test: bool) -> list[CourierRule]:
    """Return the rules in order. The lock keeps two changes of them from being made at once."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    return list(_rules(company, is_test=is_test))


def _number(rules: Iterable[CourierRule]) -> None:
    for position, rule in enumerate(rules, start=1):
        if rule.position != position:
            rule.position = position
            rule.save(update_fields=["position", "updated_at"])


def _record_order(
    company: Company,
    before: Sequence[CourierRule],
    after: Sequence[CourierRule],
    actor: AbstractBaseUser | None,
) -> None:
    """Record that the same rules are in another order now, by their names."""
    if [each.pk for each in before] != [each.pk for each in after]:
        record(
            company, "reorder_rules", actor=actor,
            before={"rules": [each.name for each in before]},
            after={"rules": [each.name for each in after]},
        )  # fmt: skip


def _couriers_of(company: Company, *, is_test: bool) -> set[str]:
    accounts = CourierAccount.objects.filter(company=company, is_test=is_test)
    return set(accounts.values_list("courier_id", flat=True))


def _courier_problem(code: str, mine: Collection[str]) -> str | None:
    if code not in CourierFactory.codes():
        return "is not a courier of this platform"
    return None if code in mine else "the company has no account with it"


def _warnings(
    rule: CourierRule, rules: Iterable[CourierRule], mine: Collection[str]
) -> tuple[FieldWarning, ...]:
    """Return what is odd about a stored rule."""
    terms = _terms(rule)
    if terms is None:
        return (FieldWarning("conditions", "unreadable", "cannot be read: write the rule again"),)
    found = [
        FieldWarning(f"couriers[{at}].courier", "courier_missing", f"{each.courier}: {problem}")
        for at, each in enumerate(terms.couriers)
        if (problem := _courier_problem(each.courier, mine))
    ]
    for other in rules:
        if other.pk == rule.pk:
            break
        earlier = _terms(other) if other.is_enabled else None
        if earlier is not None and earlier.conditions.covers(terms.conditions):
            message = f"is never reached: {other.name!r} before it holds for all its orders"
            found.append(FieldWarning("position", "shadowed", message))
            break
    return tuple(found)


def _terms(rule: CourierRule) -> RuleTerms | None:
    try:
        return rule.terms()
    except InvalidRule:
        return None
