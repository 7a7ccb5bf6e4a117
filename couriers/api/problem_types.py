"""Which problem an error becomes: of the couriers, of the platform, and of the framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rest_framework import exceptions as drf

from couriers.api.authentication import AddressNotAllowed, KeyExpired
from couriers.contract import errors, platform_errors


class ProblemType(NamedTuple):
    """What all problems of one type share. `type` in the body ends in the name."""

    name: str
    title: str
    status: int


VALIDATION = ProblemType("validation", "The request is not valid", 400)
NOT_FOUND = ProblemType("not-found", "Not found", 404)
MALFORMED = ProblemType("malformed", "Malformed request", 400)
INTERNAL = ProblemType("internal", "Something went wrong", 500)

# The problem of an error is that of the nearest class in its tree (couriers.contract.errors).
COURIER_PROBLEMS: Mapping[type[errors.CourierError], ProblemType] = {
    errors.NotSent: ProblemType("not-sent", "The courier was not called", 503),
    errors.CourierNotEnabled: ProblemType(
        "courier-not-enabled", "The courier is not enabled for the company", 403
    ),
    errors.NotDone: ProblemType("not-done", "The courier did nothing", 503),
    errors.Rejected: ProblemType("rejected", "The courier refused", 422),
    errors.InvalidRequest: VALIDATION,
    errors.NotFound: ProblemType("not-found", "The courier does not know this shipment", 404),
    errors.NotSupported: ProblemType("not-supported", "The courier does not offer this", 422),
    # Unknown, and any error without a class of its own: the call may have been carried out.
    errors.CourierError: ProblemType("unknown-outcome", "The courier's answer was lost", 502),
}

# Missing are ActionNotAllowed, which has a name and a title of its own, and what is raised for the
# admin alone: NotLiftable, NotCorrectable, FlagNotOpen and ChangedSince.
PLATFORM_PROBLEMS: Mapping[type[platform_errors.PlatformError], ProblemType] = {
    platform_errors.ScopeMissing: ProblemType("scope-missing", "The key lacks the scope", 403),
    platform_errors.UnknownCourier: VALIDATION,
    platform_errors.KeyReused: ProblemType("key-reused", "The key stands for another request", 422),
    platform_errors.BookingInFlight: ProblemType(
        "in-flight", "This booking is being made right now", 409
    ),
    platform_errors.OrderAlreadyLive: ProblemType(
        "order-live", "The order has a live shipment", 409
    ),
    platform_errors.OrderDiffers: ProblemType(
        "order-differs", "The order is booked with other content", 422
    ),
    platform_errors.OrderEnded: ProblemType("order-ended", "The order's shipment has ended", 409),
    platform_errors.TooManyJobs: ProblemType(
        "too-many-jobs", "The company has too many open jobs", 429
    ),
    platform_errors.LabelsMissing: ProblemType(
        "labels-missing", "Some of the labels cannot be had", 422
    ),
    platform_errors.LabelsTooLarge: ProblemType("too-large", "The labels are too large", 413),
    platform_errors.LabelsNotReady: ProblemType(
        "labels-not-ready", "The labels are not ready", 409
    ),
    platform_errors.ShipmentErased: ProblemType(
        "shipment-erased", "The shipment's personal data has been erased", 409
    ),
    platform_errors.NotReturnable: ProblemType(
        "not-returnable", "The shipment cannot be returned", 409
    ),
    platform_errors.PreconditionFailed: ProblemType(
        "precondition-failed", "The shipment has changed", 412
    ),
    platform_errors.WarehouseInUse: ProblemType(
        "warehouse-in-use", "The warehouse cannot be deleted", 409
    ),
    platform_errors.ActionOpen: ProblemType(
        "action-open", "Another action on the shipment has not ended", 409
    ),
    platform_errors.NotInDoubt: ProblemType("not-in-doubt", "The booking is not in doubt", 409),
    platform_errors.TooEarly: ProblemType("too-early", "The call may still be on its way", 409),
    platform_errors.UncheckedTrackingId: ProblemType(
        "unchecked-tracking-id", "The courier cannot say whether this is the order's", 409
    ),
    platform_errors.UnreadableValue: ProblemType(
        "unreadable", "A stored value cannot be read", 500
    ),
}

# An error that is not listed is "error". The status is the framework's own.
FRAMEWORK_PROBLEMS: Mapping[type[drf.APIException], tuple[str, str]] = {
    drf.APIException: ("error", "The request failed"),
    drf.ParseError: ("malformed", "Malformed request"),
    drf.NotAuthenticated: ("unauthenticated", "Not authenticated"),
    drf.AuthenticationFailed: ("unauthenticated", "Not authenticated"),
    KeyExpired: ("key-expired", "The key has expired"),
    AddressNotAllowed: ("address-not-allowed", "The key is not allowed from this address"),
    drf.PermissionDenied: ("forbidden", "Not allowed"),
    drf.NotFound: ("not-found", "Not found"),
    drf.MethodNotAllowed: ("method-not-allowed", "Method not allowed"),
    drf.NotAcceptable: ("not-acceptable", "No such format"),
    drf.UnsupportedMediaType: ("unsupported-media-type", "Unsupported media type"),
    drf.Throttled: ("throttled", "Too many requests"),
}
