"""The form of a courier rule: its conditions and couriers as fields, stored as the rule's JSON."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
)

from couriers.contract.field_problems import FieldProblems
from couriers.contract.india import GST_STATES, Zone
from couriers.contract.types import Direction, PaymentMode
from couriers.models import CourierRule
from couriers.models.rule_terms import InvalidRule, RuleTerms
from couriers.operations.courier_rules import FIELDS, rule_problems

COURIERS_HELP = (
    "One a line, the first first: its code, and after it, as you like, its weight (a whole number) "
    "and its service. Without any, every courier of the company."
)


def _several(label: str, choices: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


def _lines(label: str, help_text: str = "One a line, or with commas between.") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=100_000,
        strip=True,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=help_text,
    )


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1})
    )


def _rupees(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, decimal_places=2, max_digits=12,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip


class CourierRuleForm(forms.ModelForm):
    """A rule. A condition that is left blank holds for every order."""

    position = forms.IntegerField(
        required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget,
        help_text="1 is tried first. Blank: the last of a new rule, else as it is.",
    )  # fmt: skip
    payment_modes = _several("Payment", PaymentMode.choices)
    directions = _several("Direction", Direction.choices)
    zones = _several("Zones", Zone.choices)
    min_weight_g = _number("Weight from (grams)")
    max_weight_g = _number("Weight to (grams)")
    min_value = _rupees("Value from (rupees)")
    max_value = _rupees("Value to (rupees)")
    pincodes = _lines("Pincodes", "Whole, or the first two to five digits; one a line.")
    states = _several("States", sorted((name, name) for name in set(GST_STATES.values())))
    skus = _lines("SKUs", "One of them in the order is enough; one a line.")
    services = _lines("Services", "That the order asks for; one a line.")
    courier_lines = _lines("Couriers", COURIERS_HELP)

    class Meta:
        model = CourierRule
        fields = (
            "company", "is_test", "name", "is_enabled", "strategy", "fail_over", "book_after_doubt",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        terms = _terms_of(self.instance)
        for name, value in terms.conditions.model_dump(mode="json").items():
            is_text = isinstance(self.fields[name].widget, UnfoldAdminTextareaWidget)
            self.initial[name] = "\n".join(value) if is_text else value
        self.initial["position"] = self.instance.position
        self.initial["courier_lines"] = "\n".join(_courier_lines(terms))

    def clean(self) -> dict[str, Any]:
        """Check the rule as a whole, and name each field with a problem."""
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        rule = copy.copy(self.instance)
        for name in ("company", "is_test"):
            if name in data:
                setattr(rule, name, data[name])
        for name, value in self.rule_data().items():
            setattr(rule, name, value)
        for field, message in _by_field(rule_problems(rule), self.fields):
            self.add_error(field, message)
        return data

    def rule_data(self) -> dict[str, Any]:
        """Return the values of a rule's FIELDS that the form has."""
        data = self.cleaned_data
        own = {
            "conditions": {
                name: read(data[name])
                for name, read in _CONDITIONS.items()
                if data.get(name) not in (None, "", [])
            },
            "couriers": [_courier(line) for line in data.get("courier_lines", "").splitlines()],
        }
        own["couriers"] = [each for each in own["couriers"] if each]
        return {name: own.get(name, data.get(name)) for name in FIELDS}


def courier_names(rule: CourierRule) -> str:
    """Return the codes of a stored rule's couriers in their order."""
    return ", ".join(each.courier for each in _terms_of(rule).couriers) or "all"


def typed_rule(rule: CourierRule) -> dict[str, str]:
    """Return the inputs of a stored rule as texts, by the names of the form's fields."""
    terms = _terms_of(rule)
    shown = {}
    for name, value in terms.conditions.model_dump(mode="json").items():
        labels = dict(getattr(CourierRuleForm.base_fields[name], "choices", ()))
        values = value if isinstance(value, list) else [] if value is None else [value]
        shown[name] = ", ".join(str(labels.get(one, one)) for one in values) or "any"
    return shown | {"courier_lines": "; ".join(_courier_lines(terms)) or "all of the company"}


def _terms_of(rule: CourierRule) -> RuleTerms:
    """Return what a rule says, and what it says of nothing where it cannot be read."""
    try:
        return rule.terms()
    except InvalidRule:
        return RuleTerms()


def _courier_lines(terms: RuleTerms) -> list[str]:
    return [
        " ".join(filter(None, (each.courier, str(each.weight), each.service)))
        for each in terms.couriers
    ]


def _texts(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (each.strip() for each in _cut(text)))))


def _cut(text: str) -> list[str]:
    return text.replace(",", "\n").splitlines()


_CONDITIONS: Mapping[str, Callable[[Any], Any]] = {
    "payment_modes": list, "directions": list, "zones": list, "states": list,
    "min_weight_g": int, "max_weight_g": int, "min_value": str, "max_value": str,
    "pincodes": _texts, "skus": _texts, "services": _texts,
}  # fmt: skip


def _courier(line: str) -> dict[str, Any]:
    """Read `code [weight] [service]`; an empty line is no courier."""
    code, _, rest = line.strip().partition(" ")
    if not code:
        return {}
    weight, _, service = rest.strip().partition(" ")
    if not weight.isdecimal():
        weight, service = "1", rest
    return {"courier": code, "weight": int(weight), "service": service.strip()}


def _by_field(problems: FieldProblems, fields: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Return each problem with the form's field that it is about."""
    found: list[tuple[str | None, str]] = []
    for problem in problems:
        path = problem.field.removeprefix("conditions.")
        name = path.partition(".")[0].partition("[")[0]
        field = "courier_lines" if name == "couriers" else name
        if field in fields:
            detail = problem.message if path == name else f"{path} {problem.message}"
            found.append((field, detail))
        else:
            found.append((None, f"{problem.field}: {problem.message}"))
    return found
