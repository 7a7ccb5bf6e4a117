"""Entries of the audit trail in words."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from couriers.models import AuditEntry
from couriers.models.audit import HIDDEN, Door

# What was done, by the action of the entry. Any other action is shown by its own words.
VERBS = {
    "add": "added",
    "change": "changed",
    "delete": "deleted",
    "refused": "was refused",
    "login": "logged in",
    "login_refused": "was refused a login",
    "second_factor_on": "switched the second factor on",
    "second_factor_off": "switched the second factor off",
    "recovery_codes": "made new recovery codes",
    "clear_flag": "cleared a flag",
    "ndr_note": "noted something on NDRs",
    "doubts_note": "noted something on doubts",
    "not_picked_note": "noted something on parcels that were not picked",
    "cancel_earlier_parcel": "had an earlier courier's parcel cancelled",
    "lift_status": "lifted the end",
    "resolve_doubt": "settled the doubt as booked",
    "release_doubt": "settled the doubt as not booked",
    "search_absent": "settled the doubt as not booked",
    "correct_tracking_id": "corrected the tracking id",
    "give_reference": "gave the courier's reference",
    "change_rollout": "changed the roll-out",
    "replay_event": "replayed the callback",
    "close_circuit": "closed the circuit by hand",
    "reorder_rules": "put the courier rules in order",
    "load_products": "loaded products",
    "run_command": "ran the command",
    "ask_action": "asked the courier to act",
    "cancel_job": "cancelled the bulk job",
    "open_document": "opened the document",
    "show_consignee": "read the phone and the address",
    "show_phone": "read the phone",
    "erase_consignee": "erased the consignee's data",
}
MAX_VALUE = 120  # characters that a change shows


def who(entry: AuditEntry) -> str:
    """Return who did it."""
    if entry.actor_name:
        return entry.actor_name
    if entry.actor_id is not None:
        return str(entry.actor)
    return "somebody" if entry.door in (Door.ADMIN, Door.API) else "the platform"


def what(entry: AuditEntry) -> str:
    """Return what was done."""
    return VERBS.get(entry.action, entry.action.replace("_", " "))


def kind_of(entry: AuditEntry) -> str:
    """Return the kind of the row that it is about, "" where it is about none."""
    try:
        return str(apps.get_model(entry.model)._meta.verbose_name) if entry.model else ""
    except LookupError:
        return entry.model


def on_what(entry: AuditEntry) -> str:
    """Return the row that it is about."""
    text = entry.object_text or str(entry.shipment or entry.courier or "")
    kind = kind_of(entry) if entry.model else "shipment" if entry.shipment_id else ""
    return f"{kind} {text}".strip()


def changes(entry: AuditEntry) -> list[str]:
    """Return each change in one phrase: `city: Pune → Mumbai`."""
    before, after = entry.before or {}, entry.after or {}
    found = [_change(name, before.get(name), after.get(name)) for name in {**before, **after}]
    details = {n: v for n, v in (entry.details or {}).items() if n not in ("before", "after")}
    found += [f"{_words(name)}: {_value(value)}" for name, value in details.items()]
    old, new = entry.details.get("before"), entry.details.get("after")
    if isinstance(old, dict) and isinstance(new, dict):
        found += [_change(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return found


def sentence(entry: AuditEntry) -> str:
    """Return the whole entry in one sentence."""
    parts = [who(entry), what(entry), on_what(entry)]
    text = " ".join(filter(None, parts))
    if found := changes(entry):
        text += f" ({'; '.join(found)})"
    return text + (f", because: {entry.reason}" if entry.reason else "")


def _change(name: str, old: Any, new: Any) -> str:
    if HIDDEN in (old, new):
        return f"{_words(name)} changed"
    if old is None:
        return f"{_words(name)}: {_value(new)}"
    return f"{_words(name)}: {_value(old)} → {_value(new)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
