"""Delhivery's operations, its key, and what its answers mean (the portal's documents of 2026).

Limits are Delhivery's own, which it counts by address, in five minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from couriers.contract.errors import (
    CredentialsRefused,
    NotFound,
    Rejected,
    TooManyRequests,
    Unknown,
)
from couriers.contract.types import Limit, LimitScope
from couriers.http.answers import KIB, MIB, AnswerSize, decode_json_or_xml
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import StaticKey
from couriers.http.operations import Operation
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers_delhivery.mapper.answers import numbers_in, pickup_words, words_of
from couriers_delhivery.mapper.sent import NAME_FIELDS, OPEN_FIELDS, WORD_FIELDS

PAUSE = 30.0  # seconds that the firewall wants
_limit = partial(Limit, window=300, scope=LimitScope.ADDRESS)
_OURS = Limit(5, 1)  # where Delhivery names no limit

OPERATIONS: Mapping[str, Operation] = {
    # A batch of reserved numbers has up to 21 bytes for each.
    "fetch_numbers": Operation(
        "GET", "/waybill/api/bulk/json/", _limit(5), AnswerSize(256 * KIB), decode=numbers_in
    ),
    "fetch_number": Operation("GET", "/waybill/api/fetch/json/", _limit(750), decode=numbers_in),
    "create_shipment": Operation("POST", "/api/cmu/create.json", _limit(20_000)),
    # Cancellations, too.
    "edit": Operation("POST", "/api/p/edit", _limit(12_200)),
    # A scan takes about 400 bytes, and 50 shipments come at once. Searches, too.
    "track": Operation("GET", "/api/v1/packages/json/", _limit(750), AnswerSize(4 * MIB)),
    "ndr": Operation("POST", "/api/p/update", _OURS),
    "ndr_outcome": Operation("GET", "/api/cmu/get_bulk_upl/{request_id}", _OURS),
    "pickup": Operation("POST", "/fm/request/new/", _limit(4000)),
    # One in a hundred takes more than 62 seconds.
    "label": Operation("GET", "/api/p/packing_slip", _limit(3000), read_timeout=65),
    "document": Operation("GET", "/api/rest/fetch/pkg/document/", _OURS),
    "ewaybill": Operation("PUT", "/api/rest/ewaybill/{waybill}/", _limit(250)),
    "charges": Operation("GET", "/api/kinko/v1/invoice/charges/.json", _limit(50)),
    "transit": Operation("GET", "/api/dc/expected_tat", _limit(750)),
    # All pincodes, without a filter: about 20,000 of 400 bytes.
    "pincodes": Operation("GET", "/c/api/pin-codes/json/", _limit(4500), AnswerSize(12 * MIB)),
    "create_warehouse": Operation(
        "POST", "/api/backend/clientwarehouse/create/", _limit(10, window=60)
    ),
}
_WRONG_KEY = ("invalid token", "unauthorized", "login or api key required")
_UNKNOWN = ("does not exist", "no such waybill")


def _judge(answer: Answer) -> Verdict | None:
    words = words_of(answer.body)
    if any(sign in words for sign in _WRONG_KEY):
        return Verdict(CredentialsRefused, "the key is refused")
    if answer.status == 403:
        # Nothing was done, and the account is as good as before.
        return Verdict(TooManyRequests, "too fast: Delhivery's firewall holds us back", PAUSE)
    if "unable to fetch client name" in words:
        return Verdict(Rejected, "set the account's client name as Delhivery registered it")
    if answer.operation == "track" and any(sign in words for sign in _UNKNOWN):
        return Verdict(NotFound, "no such shipment")
    if answer.operation == "track" and answer.status == 404:
        return Verdict(Unknown, "the answer is not of the search")
    if answer.operation == "pickup" and answer.status == 400:
        found = pickup_words(answer.body)
        poor = "prepaid" in found
        return Verdict(
            Rejected,
            "the prepaid wallet at Delhivery is too low: recharge it" if poor else "refused",
            words=found,
        )
    return None


class DelhiveryClient(CourierClient):
    """The calls of one account."""

    operations = OPERATIONS
    login = StaticKey("api_token", scheme="Token")
    sent_fields = SentFields(open=OPEN_FIELDS, names=NAME_FIELDS)
    table = AnswerTable(
        code_fields=("error_code", "err_code"), word_fields=WORD_FIELDS, judge=_judge
    )

    def decode(self, body: bytes) -> Any:
        """Read JSON, XML, or a short text; a text is the `message` of an object."""
        try:
            decoded = decode_json_or_xml(body)
        except ValueError:
            decoded = body.decode().strip()
            if not decoded or len(decoded) > 200 or decoded[0] in '{["<':
                raise
        return {"message": decoded} if isinstance(decoded, str) else decoded
