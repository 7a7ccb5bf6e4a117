"""Ekart's 18 operations, its login, and what its answers mean (Ekart API 3.8.8).

Ekart publishes no rate limits: these are the platform's. An account can have limits of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from couriers.contract.errors import NotFound, Rejected, UnknownPickupAlias
from couriers.contract.types import Limit
from couriers.http.answers import KIB, MIB, AnswerSize
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import NewToken, TokenLogin
from couriers.http.operations import Operation
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers_ekart.mapper.answers import TokenAnswer, parse
from couriers_ekart.mapper.sent import NAME_FIELDS, OPEN_FIELDS, WORD_FIELDS

# Ids in one call for labels, manifests or dispatch dates (the document).
MAX_IDS = 100
NOT_FOUND = "SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"

# The answers that are larger than most grow with the parcel's history, the ids or the addresses.
OPERATIONS: Mapping[str, Operation] = {
    # The same token for 24 hours.
    "get_token": Operation("POST", "/integrations/v2/auth/token/{client_id}", Limit(10, 300)),
    # Not idempotent, and Ekart cannot be searched for it.
    "create_shipment": Operation("PUT", "/api/v1/package/create", Limit(2, 1)),
    "cancel_shipment": Operation("DELETE", "/api/v1/package/cancel", Limit(5, 1)),
    "set_dispatch_date": Operation("POST", "/data/shipment/dispatch-date", Limit(2, 1)),
    # A PDF of 100 labels; as JSON about 3 KiB of data each.
    "label": Operation(
        "POST", "/api/v1/package/label", Limit(1, 1), AnswerSize(json=512 * KIB, pdf=32 * MIB)
    ),
    "manifest": Operation("POST", "/data/v2/generate/manifest", Limit(1, 2)),
    # Another attempt, or a return to origin.
    "ndr": Operation("POST", "/api/v2/package/ndr", Limit(5, 1)),
    # A scan takes about 250 bytes.
    "track": Operation(
        "GET", "/api/v1/track/{tracking_id}", Limit(10, 1), AnswerSize(256 * KIB), needs_login=False
    ),
    # The network's own history, of all parcels of a large shipment.
    "raw_track": Operation(
        "GET", "/data/v1/elite/track/{waybill}", Limit(10, 1), AnswerSize(512 * KIB)
    ),
    "estimate": Operation("POST", "/data/pricing/estimate", Limit(5, 1)),
    "serviceability": Operation("GET", "/api/v2/serviceability/{pincode}", Limit(10, 1)),
    # Who serves a lane, and in how many days.
    "lane_serviceability": Operation("POST", "/data/v3/serviceability", Limit(10, 1)),
    # 30,000 pincodes, up to 250 bytes each. The kind is NON_LARGE or LARGE.
    "bulk_serviceability": Operation(
        "GET", "/data/serviceability/bulk/{kind}", Limit(1, 10), AnswerSize(8 * MIB)
    ),
    "add_address": Operation("POST", "/api/v2/address", Limit(2, 1)),
    "list_addresses": Operation("GET", "/api/v2/addresses", Limit(2, 1), AnswerSize(512 * KIB)),
    "list_webhooks": Operation("GET", "/api/v2/webhook", Limit(5, 60)),
    "add_webhook": Operation("POST", "/api/v2/webhook", Limit(5, 60)),
    "edit_webhook": Operation("PUT", "/api/v2/webhook/{webhook_id}", Limit(5, 60)),
}


def _token_from(answer: Any) -> NewToken:
    return NewToken(**parse(TokenAnswer, answer, "get_token").model_dump())


def _unknown_alias(answer: Answer) -> Verdict | None:
    if answer.code == NOT_FOUND and "pickup_location" in answer.words:
        return Verdict(UnknownPickupAlias, "the pickup address is not registered")
    return None


class EkartClient(CourierClient):
    """The calls of one account."""

    operations = OPERATIONS
    accept = "application/json, application/octet-stream"
    metrics_prefix = "ekart"
    sent_fields = SentFields(open=OPEN_FIELDS, names=NAME_FIELDS)
    login = TokenLogin(
        "get_token", body={"username": "username", "password": "password"}, read=_token_from
    )
    # A code is often in `message` (schema `error`).
    table = AnswerTable(
        codes={
            NOT_FOUND: Verdict(NotFound, "not found"),
            "SWIFT_VALIDATION_EXCEPTION": Verdict(Rejected, "refused"),
            "SWIFT_MALFORMED_INPUT_EXCEPTION": Verdict(Rejected, "refused"),
            "PATH_NOT_IMPLEMENTED": Verdict(Rejected, "refused"),
        },
        code_fields=("message", "code"),
        word_fields=WORD_FIELDS,
        judge=_unknown_alias,
    )
