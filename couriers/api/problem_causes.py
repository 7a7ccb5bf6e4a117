"""Why each problem is answered, for its page. What a client does is in problem_page.py."""

from __future__ import annotations

CAUSES = {
    "validation": (
        "A field or a query parameter is missing, unknown, given twice, of another type, or has a "
        "value that no courier could use. Nothing was done."
    ),
    "malformed": (
        "The body is no JSON in UTF-8 that can be stored, or the request names another host. "
        "Nothing was done."
    ),
    "unauthenticated": "The request has no credentials, or a key that is unknown or revoked.",
    "key-expired": "The key is right, and its end has passed.",
    "forbidden": (
        "The credentials are right and of the wrong kind: a company's key at an operation for "
        "staff, a session at one for companies, or a user without the permission."
    ),
    "scope-missing": "The key is right and lacks the scope that the operation needs.",
    "address-not-allowed": (
        "The key is right and may be used from some networks only, of which the address is in none."
    ),
    "courier-not-enabled": (
        "The platform's operator has not enabled the courier for the company, or has stopped it. "
        "The courier was not called."
    ),
    "not-found": (
        "No row of the company has this id, the path is of no operation, or the courier does not "
        "know the shipment. Another company's id is answered in the same way."
    ),
    "method-not-allowed": "The path has operations, and none for this method. `Allow` lists them.",
    "not-acceptable": "The `Accept` header rules out the format in which the path answers.",
    "in-flight": (
        "Another request with the same key, or for the same order, is being carried out at this "
        "moment."
    ),
    "order-live": (
        "The order has a shipment that has not ended, and the request has another Idempotency-Key. "
        "A second one would be a second parcel."
    ),
    "order-ended": (
        "The order was booked, and its shipment ended without a delivery. A request without an "
        "Idempotency-Key cannot be told from a repetition, so nothing was booked."
    ),
    "shipment-erased": "What is asked for needs the consignee's data, which was erased.",
    "not-booked": (
        "The courier has given no tracking id: the booking is under way, in doubt or has failed."
    ),
    "not-cancellable": "The parcel is too far on its way, or its shipment has ended.",
    "not-reattemptable": (
        "The courier takes another attempt, or another address, only of a parcel that could not "
        "be delivered, and not after every reason."
    ),
    "not-returnable": (
        "An RTO is for a parcel that could not be delivered, a return for one that was delivered."
    ),
    "action-open": "The courier has taken another action on, and has not said how it ended.",
    "warehouse-in-use": (
        "The warehouse has shipments or is the company's default, so orders may still need it."
    ),
    "precondition-failed": (
        "The shipment has changed since the answer whose `ETag` the request has in If-Match."
    ),
    "labels-not-ready": "Workers are still putting the labels into one PDF.",
    "labels-missing": (
        "Some of the shipments have no label, or their courier gave none. A PDF without them would "
        "put the following labels on the wrong parcels, so there is none."
    ),
    "not-in-doubt": "A callback, an inquiry or a colleague has settled the booking meanwhile.",
    "too-early": "The call of the booking may still be answered.",
    "unchecked-tracking-id": "The courier was asked about the tracking id, and could not say.",
    "not-awaiting-pickup": (
        "The parcel was picked up, the shipment has ended, or the courier chose the day itself."
    ),
    "not-delivered": "The parcel has not been delivered, so nobody has signed for it.",
    "nothing-to-manifest": "Every shipment that was asked for is in a manifest, or none is booked.",
    "too-large": "The body has more bytes, or more orders, than one request may have.",
    "unsupported-media-type": "The body is of a media type that the operation does not read.",
    "key-reused": (
        "An earlier request with this Idempotency-Key had another body. The answer of the first "
        "one would be wrong for this one."
    ),
    "order-differs": (
        "The order was booked with other content, and the request has no Idempotency-Key of its "
        "own that would make it another booking."
    ),
    "rejected": "The courier was called and refused. Its own words are in `courier_message`.",
    "not-supported": "The courier has no such service, or offers it in another way.",
    "too-many-jobs": "The company's earlier bulk jobs are not finished.",
    "throttled": (
        "The key, its company or the address has used up its requests of the minute. Nothing was "
        "done."
    ),
    "internal": "An unexpected error. It was reported with the request's id.",
    "unreadable": "A stored value was encrypted with a key that this installation does not have.",
    "error": "The framework refused the request for a reason that has no type of its own.",
    "unknown-outcome": (
        "The courier was called, and its answer was lost or could not be read. It may have done "
        "what was asked."
    ),
    "not-sent": (
        "The courier was not called: it is down, its limit is reached, or the platform is busy."
    ),
    "not-done": (
        "The courier was called, and surely did nothing: it throttles, or refused the login."
    ),
    "database-unavailable": "The database takes no writes, or no connections. Nothing was done.",
}
