"""Keys, and the accounts that they belong to. A key never expires."""

from __future__ import annotations

from aiohttp import web

from sandbox.delhivery.answers import accepts_json
from sandbox.delhivery.options import DelhiveryOptions
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.errors import Unauthorized
from sandbox.operations import current_call

PREFIX = "Token "
# The parameters of an address that each operation knows; `charges` refuses others by itself.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "bulk_waybills": ("cl", "count"),
    "fetch_waybill": ("cl",),
    "track": ("waybill", "ref_ids", "verbose"),
    "ndr_status": ("verbose",),
    "label": ("wbns", "pdf", "pdf_size"),
    "document": ("doc_type", "waybill"),
    "expected_tat": ("origin_pin", "destination_pin", "mot", "pdt", "expected_pickup_date"),
    "pincodes": ("filter_codes",),
}
CHECKED_ELSEWHERE = ("charges",)


class Accounts:
    """The accounts of both environments by their keys. `cl` is an account's name."""

    def __init__(self, options: DelhiveryOptions, switches: DelhiverySwitches) -> None:
        self._switches = switches
        self._other_key = options.other_key
        self._names = {options.key: options.client_name, **dict(options.accounts)}
        self._names[options.other_key] = options.client_name

    def check(self, request: web.Request) -> None:
        """Note what no client should send. Raises Unauthorized for a wrong key."""
        operation, problems = current_call().operation, current_call().problems
        if not accepts_json(request):
            problems.append("Accept: application/json is missing")
        if "token" in request.query:
            problems.append("the key belongs in the header Authorization, not in the query")
        known = (*PARAMETERS.get(operation, ()), "token")
        if operation not in CHECKED_ELSEWHERE:
            problems += [f"{name} is no parameter" for name in request.query if name not in known]
        self.client_of(request)
        if _key(request) == self._other_key and operation != "create_shipment":
            raise Unauthorized("the key of the other environment")

    def client_of(self, request: web.Request) -> str:
        """The name of the account that calls. Raises Unauthorized."""
        name = self._names.get(_key(request))
        if name is None or self._switches.revoked:
            raise Unauthorized("a wrong key")
        return name

    def is_of_other_environment(self, request: web.Request) -> bool:
        return self._switches.other_environment or _key(request) == self._other_key


def _key(request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix(PREFIX) if header.startswith(PREFIX) else ""
