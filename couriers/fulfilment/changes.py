"""What happened last to a shipment, as one sentence for a person who comes second."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format

from couriers.models import AuditEntry, Shipment, ShipmentAction
from couriers.models.asked import AskedState
from couriers.models.seen import READING


def last_change(shipment: Shipment) -> str:
    """Return who did what last, when, and what came of it; and what the shipment is now.

    The shipment is read anew.
    """
    now = Shipment.objects.get(pk=shipment.pk)
    asked = now.actions.select_related("asked_by").first()
    decided = AuditEntry.objects.filter(shipment=now).exclude(action__in=READING)
    entry = decided.select_related("actor").first()
    parts = []
    if asked is not None and (entry is None or asked.asked_at >= entry.at):
        parts.append(_of_action(asked))
    elif entry is not None:
        action = entry.action.replace("_", " ")
        parts.append(f"{entry.actor or 'A command'}: {action}, {_time(entry.at)}.")
    status = now.get_status_display().lower()
    since = f" since {_time(now.status_at)}" if now.status_at else ""
    return " ".join([*parts, f"It is now {status}{since}."])


def _of_action(action: ShipmentAction) -> str:
    who = str(action.asked_by or "The platform")
    if action.key_prefix:
        who = f"API key {action.key_prefix}…"
    words = f" ({action.words})" if action.words else ""
    state = AskedState(action.state).label.lower()
    return f"{who}: {action.get_kind_display().lower()}, {_time(action.asked_at)}: {state}{words}."


def _time(at: object) -> str:
    return date_format(timezone.localtime(at), "j M Y, H:i")  # type: ignore[arg-type]
