"""Delhivery's operations, its key, and what its answers mean (the portal's documents of 2026).

Limits are Delhivery's own, which it counts by address, in five minutes.
"""

from functools import partial

from couriers.contract import errors
from couriers.contract.types import Limit, LimitScope
from couriers.contract.words import meaning_of, words_by_field
from couriers.http.answers import KIB, MIB, AnswerSize, decode_any
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import StaticKey
from couriers.http.operations import Operation
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers_delhivery.mapper.answers import REMEDIES, numbers_in

# Ids, places, dates, amounts and plain words may come back in Delhivery's words: without them no
# refusal can be understood. Every field that is not listed is private.
_OPEN = (
    "format order waybill payment_mode pin city state country cod_amount total_amount weight"
    " shipment_length shipment_width shipment_height shipping_mode transport_speed shipment_type"
    " master_id mps_children mps_amount hsn_code quantity order_date address_type ewbn return_city"
    " return_state return_country return_pin qc_type questions_id cl count ref_ids verbose"
    " filter_codes cancellation act wbns pdf pdf_size doc_type dcn md ss o_pin d_pin cgm pt cod l b"
    " h origin_pin destination_pin mot pdt expected_pickup_date pickup_location pickup_date"
    " pickup_time expected_package_count"
)
_NAMES = ("name", "return_name")
WORD_FIELDS = ("Error", "error", "remark", "remarks", "rmk", "detail", "msg", "message")

_limit = partial(Limit, window=300, scope=LimitScope.ADDRESS)
_OURS = Limit(5, 1)  # where Delhivery names none

OPERATIONS = {
    "fetch_numbers": Operation(
        "GET", "/waybill/api/bulk/json/", _limit(5), AnswerSize(256 * KIB), decode=numbers_in
    ),
    "fetch_number": Operation("GET", "/waybill/api/fetch/json/", _limit(750), decode=numbers_in),
    "create_shipment": Operation("POST", "/api/cmu/create.json", _limit(20_000)),
    # Cancellations, too.
    "edit": Operation("POST", "/api/p/edit", _limit(12_200)),
    # Searches, too. A scan takes about 400 bytes, and 50 shipments come at once, here with scans.
    "track": Operation("GET", "/api/v1/packages/json/?verbose=1", _limit(750), AnswerSize(4 * MIB)),
    "ndr": Operation("POST", "/api/p/update", _OURS),
    "ndr_outcome": Operation("GET", "/api/cmu/get_bulk_upl/{request_id}", _OURS),
    "pickup": Operation("POST", "/fm/request/new/", _limit(4000)),
    # One in a hundred takes more than 62 seconds.
    "label": Operation("GET", "/api/p/packing_slip", _limit(3000), read_timeout=65),
    "document": Operation("GET", "/api/rest/fetch/pkg/document/", _OURS),
    "charges": Operation("GET", "/api/kinko/v1/invoice/charges/.json", _limit(50)),
    "transit": Operation("GET", "/api/dc/expected_tat", _limit(750)),
    # All pincodes, without a filter: about 20,000 of 400 bytes.
    "pincodes": Operation("GET", "/c/api/pin-codes/json/", _limit(4500), AnswerSize(12 * MIB)),
    "create_warehouse": Operation(
        "POST", "/api/backend/clientwarehouse/create/", _limit(10, window=60)
    ),
}
_WRONG_KEY = Verdict(errors.CredentialsRefused, "the key is refused")
_NOT_FOUND = Verdict(errors.NotFound, "no such shipment")
PHRASES = {
    ("", "invalid token"): _WRONG_KEY,
    ("", "unauthorized"): _WRONG_KEY,
    ("", "login or api key required"): _WRONG_KEY,
    ("", "unable to fetch client name"): Verdict(
        errors.Rejected, "set the account's client name as Delhivery registered it"
    ),
    ("track", "does not exist"): _NOT_FOUND,
    ("track", "no such waybill"): _NOT_FOUND,
    ("edit", "incorrect waybill"): Verdict(
        errors.NotDone, "the shipment is unknown, or too new: it takes about a minute", 60.0
    ),
}
# It holds our address back, nothing was done, and the account is as good as before.
_FIREWALL = Verdict(errors.TooManyRequests, "too fast: the firewall holds us back", 30.0)


def _judge(answer: Answer) -> Verdict | None:
    if answer.operation == "track" and answer.status == 404:
        return Verdict(errors.Unknown, "the answer is not the search's")
    if answer.operation == "pickup" and answer.status == 400:
        # The keys are the fields that are wrong.
        found = words_by_field(answer.body)
        return Verdict(errors.Rejected, meaning_of(found, REMEDIES, "refused"), words=found)
    return None


class DelhiveryClient(CourierClient):
    """The calls of one account."""

    operations = OPERATIONS
    login = StaticKey("api_token", scheme="Token")
    sent_fields = SentFields(open=frozenset(_OPEN.split()), names=frozenset(_NAMES))
    table = AnswerTable(
        phrases=PHRASES,
        statuses={403: _FIREWALL},
        code_fields=("error_code",),
        word_fields=WORD_FIELDS,
        judge=_judge,
    )
    decode = staticmethod(decode_any)
