"""What an inquiry's row says after each answer, and when an absence is believed.

An absence is believed when two searches, `lookup_lag` seconds apart, have found nothing. The first
counts once the create call is over and the time of one more call (`max_create_seconds`) has passed:
a request whose answer was lost may still have been at work at the courier. All of these times are
the database's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from couriers.booking import reserved_ids
from couriers.booking.leases import seconds_until_call_is_over
from couriers.booking.settling import settle_absent
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import CourierError
from couriers.contract.signals import SettledBy
from couriers.contract.statuses import Status
from couriers.contract.text import make_storable
from couriers.models import DoubtInquiry, Shipment
from couriers.models.audit import record
from couriers.models.call_audit import error_text
from couriers.models.claims import DoublingPauses, back_off, seconds_from_now
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.inquiry import InquiryAnswer

PAUSES = DoublingPauses(first=15.0, longest=3600.0)
SHORTEST_PAUSE = 1.0  # seconds between two searches
ABSENT = "search_absent"  # the action of the audit entry


@dataclass(frozen=True, slots=True)
class SearchTimes:
    """When a search began, and what counts for its absence; all by the database's clock."""

    began_at: dt.datetime
    over_at: dt.datetime
    first_absent_at: dt.datetime | None


def put_off(inquiry: DoubtInquiry, seconds: float) -> None:
    """Ask again after so many seconds. Nothing was asked."""
    _write(inquiry, next_attempt_at=seconds_from_now(max(seconds, SHORTEST_PAUSE)))


def end(inquiry: DoubtInquiry) -> None:
    """Ask no more: the doubt is settled, or nothing more can be asked."""
    _write(inquiry, next_attempt_at=None)


def note_end(inquiry: DoubtInquiry, answer: InquiryAnswer) -> None:
    """Note the answer that has settled the doubt."""
    _write(inquiry, **_answered(answer), next_attempt_at=None)


def note_failure(inquiry: DoubtInquiry, error: CourierError) -> None:
    """Note that the courier could not say, and ask again after a pause that doubles."""
    pause = back_off(inquiry.failures + 1, PAUSES, error.retry_after)
    _write(
        inquiry,
        **_failed(InquiryAnswer.CANNOT_SAY, error),
        failures=F("failures") + 1,
        next_attempt_at=seconds_from_now(min(pause, PAUSES.longest)),
    )


def note_refusal(inquiry: DoubtInquiry, error: CourierError) -> None:
    """Note that the courier refused the repeated create call: from now on it is searched."""
    _write(
        inquiry,
        **_failed(InquiryAnswer.REFUSED, error),
        failures=0,
        repeat_refused_at=Now(),
        next_attempt_at=Now(),
    )


def forget_absences(inquiry: DoubtInquiry) -> None:
    """Let no earlier absence count, because a create call is about to be made again."""
    DoubtInquiry.objects.filter(pk=inquiry.pk).update(over_at=None, first_absent_at=None)
    inquiry.over_at = inquiry.first_absent_at = None


def begin_search(inquiry: DoubtInquiry) -> SearchTimes:
    """Note that the create call is over, and return the times of a search that begins now."""
    row = DoubtInquiry.objects.filter(pk=inquiry.pk)
    row.filter(over_at__isnull=True).update(over_at=Now())
    began_at, over_at, first = row.values_list(Now(), "over_at", "first_absent_at").get()
    return SearchTimes(began_at, over_at, first)


def note_absence(inquiry: DoubtInquiry, times: SearchTimes, adapter: BaseCourierAdapter) -> bool:
    """Note that a search found nothing. Returns whether that has settled the doubt as not booked.

    Without a `lookup_lag` it is evidence for an operator, and no more.
    """
    lag = adapter.lookup_lag
    counts_from = times.over_at + dt.timedelta(seconds=adapter.max_create_seconds())
    changes: dict[str, Any] = {"absences": F("absences") + 1, "last_absent_at": Now()}
    pause = PAUSES.after(inquiry.asked + 1)
    if lag is not None:
        if times.first_absent_at is not None:
            believed_from = times.first_absent_at + dt.timedelta(seconds=lag)
            if times.began_at >= believed_from:
                return _settle(inquiry, times.first_absent_at, lag)
            pause = min(pause, (believed_from - times.began_at).total_seconds())
        elif times.began_at >= counts_from:
            changes["first_absent_at"] = Now()
            pause = min(pause, lag)
        else:
            pause = min(pause, (counts_from - times.began_at).total_seconds())
    _write(
        inquiry,
        **_answered(InquiryAnswer.ABSENT),
        **changes,
        next_attempt_at=seconds_from_now(max(pause, SHORTEST_PAUSE)),
    )
    return False


def _settle(inquiry: DoubtInquiry, first_absent_at: dt.datetime, lag: float) -> bool:
    """Settle the doubt as not booked, with an entry in the audit log; return whether it was one."""
    with transaction.atomic():
        shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=inquiry.shipment_id)
        is_open = shipment.status == Status.IN_DOUBT and shipment.attempt == inquiry.attempt
        if is_open and (left := seconds_until_call_is_over(shipment)) > 0:
            put_off(inquiry, left)
            return False
        _write(
            inquiry,
            **_answered(InquiryAnswer.ABSENT),
            absences=F("absences") + 1,
            last_absent_at=Now(),
            next_attempt_at=None,
        )
        if not is_open:
            return False
        inquiry.refresh_from_db(fields=["last_absent_at"])
        settle_absent(shipment, _reason(shipment.failure), by=SettledBy.SEARCH)
        reserved_ids.retire(shipment)
        _record(shipment, first_absent_at, inquiry.last_absent_at, lag)
    return True


def _reason(doubt: str) -> str:
    """Return why the booking failed: the words that had left it in doubt may say what to do."""
    absent = "The courier does not have it."
    return f"{absent} The call had ended with: {doubt}"[:MAX_ERROR_TEXT] if doubt else absent


def _record(shipment: Shipment, first: dt.datetime, second: dt.datetime | None, lag: float) -> None:
    """Write the platform's own decision to the audit log, without an actor."""
    assert second is not None
    record(
        shipment,
        ABSENT,
        reason="The courier was searched twice, and does not have it.",
        details={
            "attempt": shipment.attempt,
            "first_absent_at": first.isoformat(),
            "second_absent_at": second.isoformat(),
            "lookup_lag": lag,
        },
    )


def _answered(answer: InquiryAnswer) -> dict[str, Any]:
    return {**_asked(answer), "failures": 0, "outcome": "", "code": "", "message": ""}


def _failed(answer: InquiryAnswer, error: CourierError) -> dict[str, Any]:
    return {
        **_asked(answer),
        "outcome": error.outcome,
        "code": make_storable(error.code)[:100],
        "message": error_text(error),
    }


def _asked(answer: InquiryAnswer) -> dict[str, Any]:
    return {"asked": F("asked") + 1, "last_asked_at": Now(), "last_answer": answer}


def _write(inquiry: DoubtInquiry, **columns: Any) -> None:
    """Write the columns, and end the lease."""
    DoubtInquiry.objects.filter(pk=inquiry.pk).update(**columns, lease_expires_at=None)
