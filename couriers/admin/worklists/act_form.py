"""The form of what an action needs, made for the shipments that it is for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from couriers.contract import india
from couriers.contract.action_rules import rule_for
from couriers.contract.actions import ActionKind, ActionRule, DayRange
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Direction
from couriers.fulfilment.actions import MAX_TEXT
from couriers.models import Shipment
from couriers.models.operator_job import OperatorAct

LABELS = {
    "phone": "New phone",
    "address": "New address",
    "name": "New name",
    "instructions": "Instructions for the courier",
}
TEXTS = ("phone", "address", "name", "instructions", "remark")


class DayInput(UnfoldAdminTextInputWidget):
    """The browser's own input of a day."""

    input_type = "date"


class ActForm(forms.Form):
    """The fields that an action needs for some shipments, by their couriers' rules.

    `token` is the form's own, so that it makes one job however often it is sent.
    """

    token = forms.RegexField(r"^[\w-]{16,64}$", widget=forms.HiddenInput)

    def __init__(
        self, act: OperatorAct, shipments: Collection[Shipment], data: Any, token: str
    ) -> None:
        super().__init__(data, initial={"token": token})
        if act == OperatorAct.TRACK:
            return
        rules = _rules(ActionKind(act.value), shipments)
        if act == OperatorAct.RTO:
            self._add_text("remark", "Remark for the courier")
        if days := [rule.days for rule in rules.values() if rule.days is not None]:
            self.fields["date"] = _day_field(days)
        wanted = ("instructions",) if act == OperatorAct.REATTEMPT else tuple(LABELS)
        for name in wanted if act in (OperatorAct.REATTEMPT, OperatorAct.ADDRESS) else ():
            takers = [courier for courier, rule in rules.items() if name in rule.fields]
            if takers:
                rest = "" if len(takers) == len(rules) else f" ({' and '.join(takers)} alone)"
                self._add_text(name, f"{LABELS[name]}{rest}")
        slots = _slots(shipments) if act == OperatorAct.PICKUP else []
        if slots:
            self.fields["slot"] = forms.ChoiceField(
                choices=[("", "any"), *((slot, slot) for slot in slots)],
                required=False,
                widget=UnfoldAdminSelectWidget,
            )

    def _add_text(self, name: str, label: str) -> None:
        self.fields[name] = forms.CharField(
            label=label, required=False, max_length=MAX_TEXT, widget=UnfoldAdminTextInputWidget
        )

    @property
    def answers(self) -> dict[str, Any]:
        """What was asked with, as arguments of `operator_jobs.create`."""
        given = self.cleaned_data
        return {
            "day": given.get("date"),
            "slot": given.get("slot", ""),
            "texts": {name: given[name] for name in TEXTS if given.get(name)},
        }


def _rules(kind: ActionKind, shipments: Collection[Shipment]) -> Mapping[str, ActionRule]:
    """The rules for the shipments, by the couriers' names."""
    found = {}
    for courier, direction in sorted({(one.courier_id, one.direction) for one in shipments}):
        adapter = CourierFactory.adapter_class(courier)
        if (rule := rule_for(adapter, kind, Direction(direction))) is not None:
            found[adapter.name] = rule
    return found


def _slots(shipments: Collection[Shipment]) -> list[str]:
    """The slots that every courier of the shipments has."""
    couriers = {one.courier_id for one in shipments}
    slots = [set(CourierFactory.adapter_class(code).pickup_slots) for code in couriers]
    return sorted(set.intersection(*slots)) if slots else []


def _day_field(days: Collection[DayRange]) -> forms.DateField:
    """The day, with one filled in that all of the couriers take, where there is one."""
    today = india.today()
    first, last = min(one.first for one in days), max(one.last for one in days)
    latest_first = max(one.first for one in days)
    fits_all = latest_first <= min(one.last for one in days)
    limits = {"min": _day(today, first), "max": _day(today, last)}
    return forms.DateField(
        label="Day (India time)",
        initial=_day(today, latest_first if fits_all else first),
        widget=DayInput(attrs=limits),
    )


def _day(today: dt.date, ahead: int) -> str:
    return (today + dt.timedelta(days=ahead)).isoformat()
