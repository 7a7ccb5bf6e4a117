"""The evidence about a booking in doubt, shown to the operator who decides.

The evidence only suggests a decision: a callback that is late looks like one that never comes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.registry import CourierFactory
from couriers.models import CallbackTally, CourierCall, DoubtInquiry, Shipment, ShipmentFlag
from couriers.models.inquiry import InquiryAnswer
from couriers.operations.callbacks import last_accepted, refusal_problem
from couriers.operations.flags import sentence

# If this many later bookings are confirmed and this one is not, the courier is unlikely to have it.
MIN_LATER_CONFIRMED = 5
# How late a callback may be. Before that, its absence suggests nothing.
MAX_CALLBACK_DELAY = dt.timedelta(minutes=10)
_TALLY = ("accepted_at", "refused_at", "refused_count", "explanation", "explained_at")
_INQUIRY = (
    "asked", "last_asked_at", "last_answer", "absences", "first_absent_at", "last_absent_at",
    "next_attempt_at", "message",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InquiryFacts:
    """What the courier said when it was asked about the booking.

    The fields are those of DoubtInquiry. With `settles_itself` a clear answer settles the booking;
    otherwise an absence is evidence for an operator.
    """

    asked: int
    last_asked_at: dt.datetime | None
    last_answer: InquiryAnswer
    absences: int
    first_absent_at: dt.datetime | None
    last_absent_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    message: str
    settles_itself: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts about a booking in doubt.

    `flags` are the sentences of its open flags, usually none. `later` counts the account's
    bookings after this one, and `confirmed` those of them that a callback confirmed. The last
    confirmation came at `last_confirmed_at`, and the account's last good callback of any kind at
    `last_event_at`. `refusal` says that the account's callbacks are refused, "" if they are not.
    `inquiry` is what the courier said when it was asked, None for one that cannot be.
    """

    flags: Sequence[str]
    calls: Sequence[CourierCall]
    in_doubt_since: dt.datetime
    later: int
    confirmed: int
    last_confirmed_at: dt.datetime | None
    refusal: str = ""
    last_event_at: dt.datetime | None = None
    inquiry: InquiryFacts | None = None

    @property
    def callbacks_arrive(self) -> bool:
        """Whether a callback of any kind has come for the account since the booking was sent."""
        return self.last_event_at is not None and self.last_event_at > self.in_doubt_since

    @property
    def flow(self) -> str:
        """Says whether callbacks of this account arrive, and are accepted."""
        return f"{self.refusal} {self._confirmations}".strip()

    @property
    def _confirmations(self) -> str:
        if self.callbacks_arrive and not self.confirmed:
            last = last_accepted(CallbackTally(accepted_at=self.last_event_at))
            return f"Callbacks of this account arrive, none for this order. {last}"
        if not self.later:
            return "This account has no later booking, so its callbacks prove nothing."
        if not self.confirmed:
            return (
                f"None of {self.later} later bookings was confirmed by callback: "
                "the callbacks of this account do not arrive."
            )
        return (
            f"{self.confirmed} of {self.later} later bookings were confirmed by callback, "
            "none for this order."
        )

    @property
    def suggestion(self) -> str:
        """A sentence that says what the evidence suggests to do."""
        if self.flags:
            flags = " ".join(self.flags)
            return f"{flags} Look that up in the courier's panel first."
        if self.inquiry and (from_inquiry := _inquiry_suggestion(self.inquiry)):
            return from_inquiry
        if self.refusal:
            return (
                "Callbacks are refused, so a missing one proves nothing. Look the order up in the "
                "courier's panel, and have the callbacks accepted: the courier may send them again."
            )
        waited = timezone.now() - self.in_doubt_since
        if self.confirmed >= MIN_LATER_CONFIRMED and waited > MAX_CALLBACK_DELAY:
            return (
                "Callbacks arrive, but none for this order: the courier most likely does not have "
                "it. Check the courier's panel, then release it."
            )
        if self.later and not self.confirmed and not self.callbacks_arrive:
            return (
                "Callbacks do not arrive, so a missing one proves nothing. Look the order up in "
                "the courier's panel, and check whether the callback is registered."
            )
        return "Too little is known so far. Look the order up in the courier's panel, or wait."


def _inquiry_suggestion(inquiry: InquiryFacts) -> str:
    if inquiry.settles_itself and inquiry.next_attempt_at:
        return (
            "The courier is asked again, and a clear answer settles the booking. Decide only if it "
            "cannot say for long."
        )
    if inquiry.absences > 1:
        return (
            "The courier was searched and does not have it, but it is not known how late its "
            "search can be. Check the courier's panel, then release it."
        )
    return ""


def evidence_of(shipment: Shipment) -> Evidence:
    """The evidence for a shipment in doubt."""
    return evidence_of_all([shipment])[0]


def evidence_of_all(shipments: Sequence[Shipment]) -> list[Evidence]:
    """The evidence for each of these shipments, in their order. It makes two statements in all."""
    ids = [shipment.pk for shipment in shipments]
    calls = CourierCall.objects.filter(shipment__in=ids).order_by("id")
    last_call = CourierCall.objects.filter(shipment=OuterRef("pk")).order_by("-id")
    later = (
        Shipment.objects.filter(account_id=OuterRef("account_id"), booked_at__gt=OuterRef("since"))
        .order_by()
        .values("account_id")
        .annotate(
            counts=JSONObject(
                later=Count("pk"), confirmed=Count("confirmed_at"), last=Max("confirmed_at")
            )
        )
    )
    flags = (
        ShipmentFlag.objects.open()
        .filter(shipment=OuterRef("pk"))
        .order_by("id")
        .values(
            about=JSONObject(
                kind="kind",
                tracking_id="tracking_id",
                order_number="order_number",
                courier="courier",
            )
        )
    )
    tally = CallbackTally.objects.filter(account=OuterRef("account_id")).values(
        about=JSONObject(**{name: name for name in _TALLY})
    )
    inquiry = DoubtInquiry.objects.filter(
        shipment=OuterRef("pk"), attempt=OuterRef("attempt")
    ).values(about=JSONObject(**{name: name for name in _INQUIRY}))
    rows = Shipment.objects.filter(pk__in=ids).annotate(
        since=Coalesce(Subquery(last_call.values("started_at")[:1]), "created_at"),
        counts=Subquery(later.values("counts")),
        open_flags=ArraySubquery(flags),
        tally=Subquery(tally),
        inquiry=Subquery(inquiry),
    )
    calls_of: dict[str | None, list[CourierCall]] = {}
    for call in calls:
        calls_of.setdefault(call.shipment_id, []).append(call)
    columns = ("pk", "courier_id", "since", "counts", "open_flags", "tally", "inquiry")
    found = {pk: facts for pk, *facts in rows.values_list(*columns)}
    return [_evidence(calls_of.get(s.pk, []), *found[s.pk]) for s in shipments]


def _evidence(
    calls: Sequence[CourierCall],
    courier: str,
    since: dt.datetime,
    counts: dict[str, Any] | None,
    open_flags: Sequence[dict[str, str]],
    tally: dict[str, Any] | None,
    inquiry: dict[str, Any] | None,
) -> Evidence:
    counts = counts or {"later": 0, "confirmed": 0, "last": None}
    return Evidence(
        flags=[sentence(**about) for about in open_flags],
        calls=calls,
        in_doubt_since=since,
        later=counts["later"],
        confirmed=counts["confirmed"],
        last_confirmed_at=_time(counts["last"]),
        refusal=refusal_problem(_tally(tally) if tally else None),
        last_event_at=_time(tally["accepted_at"]) if tally else None,
        inquiry=_inquiry(courier, inquiry) if inquiry else None,
    )


def _inquiry(courier: str, facts: dict[str, Any]) -> InquiryFacts:
    times = {name: _time(facts[name]) for name in facts if name.endswith("_at")}
    answer = InquiryAnswer(facts["last_answer"])
    return InquiryFacts(
        **facts | times | {"last_answer": answer}, settles_itself=_settles_itself(courier)
    )


def _settles_itself(courier: str) -> bool:
    """Whether a clear answer of the courier settles a doubt, also where it has no booking."""
    if courier not in CourierFactory.codes():
        return False
    adapter = CourierFactory.adapter_class(courier)
    return adapter.lookup_lag is not None or Capability.RESERVE_IDS in adapter.capabilities


def _tally(facts: dict[str, Any]) -> CallbackTally:
    times = {name: _time(facts[name]) for name in facts if name.endswith("_at")}
    return CallbackTally(**facts | times)


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
