"""Whether an account's callbacks are accepted or refused, in sentences for operators."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.timesince import timesince

from couriers.models import CallbackTally

UNEXPLAINED = (
    "None of those looked at was signed with the account's secret: the courier signs with another "
    "one, or they are a stranger's."
)


def last_accepted(tally: CallbackTally | None) -> str:
    """Return when the last good callback came."""
    if tally is None or tally.accepted_at is None:
        return "No callback has been accepted so far."
    return f"The last good callback came {_ago(tally.accepted_at)}."


def refusals(tally: CallbackTally | None) -> str:
    """Return how many callbacks were refused, and when the last was."""
    if tally is None or tally.refused_at is None:
        return "No callback has been refused."
    count = f"{tally.refused_count:,} callback{'' if tally.refused_count == 1 else 's'}"
    return f"{count} refused so far, the last {_ago(tally.refused_at)}."


def refusal_problem(tally: CallbackTally | None) -> str:
    """Return that callbacks are refused, with figures and the cause; "" if they are accepted."""
    if tally is None or not tally.is_refused:
        return ""
    cause = tally.current_explanation or UNEXPLAINED
    return (
        f"The callbacks of this account are refused. {refusals(tally)} {last_accepted(tally)} "
        f"{cause}"
    )


def _ago(time: dt.datetime) -> str:
    return f"{timesince(time, timezone.now())} ago".replace("\xa0", " ")
