"""The page of a problem's `type`, for people who open it in a browser."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from couriers.api.described_operations import (
    curl_of,
    operations_with,
    page_links,
    pretty,
    with_code,
)
from couriers.api.problem_causes import CAUSES
from couriers.api.problem_schema import KINDS
from couriers.api.problems import type_of
from couriers.api.recordings import of_problem
from couriers.contract.content_policy import reference_page, with_policy

# What a client does about each problem. The table of docs/api.md has the same rows.
REMEDIES = {
    "validation": "correct the fields in errors",
    "malformed": "send JSON that can be stored, to a host of the platform",
    "unauthenticated": "send a valid key, or log in to the admin for an endpoint for staff",
    "key-expired": "ask for a new key: the time of this one is over",
    "forbidden": "use a key of a company, or a user who has the permission",
    "address-not-allowed": "send the request from one of the key's allowed_networks",
    "scope-missing": "use a key with the scope, or have it added to this one in the admin",
    "courier-not-enabled": (
        "the courier takes no new bookings of the company yet: book with another courier, or ask "
        "the platform's operator"
    ),
    "not-found": "the company has no such row, or the courier does not know the shipment",
    "method-not-allowed": "see the table above",
    "not-acceptable": "accept JSON",
    "in-flight": "the same booking is being made right now: ask again after Retry-After",
    "order-live": "the order has a live shipment: shipment is its id",
    "order-ended": (
        "the order's shipment has ended: to book the order once more, send an Idempotency-Key of "
        "its own"
    ),
    "shipment-erased": (
        "the consignee's data of the shipment was erased: book the order under another number"
    ),
    "not-booked": "the shipment has no tracking id, or not yet",
    "not-cancellable": "the shipment can no longer be cancelled",
    "not-reattemptable": (
        "the shipment's status, its NDR reason or its attempts rule it out: actions_allowed of the "
        "shipment has what the courier takes now"
    ),
    "not-returnable": (
        "for an RTO: the shipment is not undelivered; for a return: it is not delivered"
    ),
    "action-open": "wait until the other action has ended: action is its id",
    "not-in-doubt": "the booking is settled already: look at the shipment",
    "too-early": "the courier may still answer the call: ask again after Retry-After",
    "unchecked-tracking-id": (
        "the courier cannot say whether the tracking id is this order's: "
        "look into its panel, then send confirm_unchecked"
    ),
    "not-awaiting-pickup": (
        "the shipment has been picked up or has ended, or its courier chose the day at the booking"
    ),
    "not-delivered": "only a delivered shipment has a proof of delivery",
    "warehouse-in-use": "keep the warehouse: `detail` says what needs it",
    "precondition-failed": "read the shipment again, and decide anew",
    "nothing-to-manifest": "no shipment awaits a manifest",
    "too-large": "send fewer orders at once, or ask for fewer labels: detail has the limit",
    "labels-missing": (
        "errors has each shipment without a label, and why: ask for the others without them, or "
        "again after Retry-After where there is one"
    ),
    "labels-not-ready": "ask again after Retry-After",
    "unsupported-media-type": "send application/json",
    "key-reused": "the key was used for another request: fields lists what differs",
    "order-differs": (
        "the order is booked with other content: fields lists what differs, shipment is its id"
    ),
    "rejected": "the courier refused; the same request will be refused again",
    "not-supported": "the courier does not offer this",
    "too-many-jobs": (
        "the company has as many open jobs of the kind as it may have: ask again after "
        "Retry-After, with the same key, once one of them is done"
    ),
    "throttled": "ask again after Retry-After: detail names the limit",
    "internal": "a fault of the platform, which is in its log",
    "unreadable": (
        "the platform lacks the key of a stored value: tell its operator; other rows can be read"
    ),
    "error": "an error of the framework without a type of its own",
    "unknown-outcome": (
        "the courier's answer was lost or could not be read: check what happened before you repeat"
    ),
    "not-sent": "the courier was not called: ask again after Retry-After",
    "not-done": "the courier did nothing: ask again after Retry-After",
    "database-unavailable": "ask again after Retry-After, with the same key; nothing is done twice",
}


@transaction.non_atomic_requests
@login_not_required
@with_policy(reference_page)
@require_safe
def problem_page(request: HttpRequest, name: str) -> HttpResponse:
    """GET /problems/{name}: why it is answered and what a client does. Needs no login."""
    remedy = REMEDIES.get(name)
    if remedy is None:
        raise Http404
    exchange = next(iter(of_problem(name)), None)
    kind = KINDS[name]
    context = {
        "name": name,
        "remedy": remedy,
        "cause": with_code(CAUSES[name]),
        "kind": kind,
        "exchange": exchange,
        "request": curl_of(exchange) if exchange else "",
        "answer": pretty(exchange.answer) if exchange else "",
        "operations": operations_with(name),
        "url": type_of(name),
        "links": page_links(),
    }
    return render(request, "couriers/problem.html", context)
