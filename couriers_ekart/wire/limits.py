"""How many calls an account may make by default, how many ids a call takes, how large answers are.

Ekart publishes no rate limits: these are the platform's. Operations have the names of the client's
methods. An account can have limits of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from couriers.contract.types import Limit
from couriers.http.answers import KIB, MIB, AnswerSize

# Ids in one call for labels, manifests or dispatch dates (the document).
MAX_IDS = 100

DEFAULT_LIMITS: Mapping[str, Limit] = {
    "get_token": Limit(10, 300),
    "create_shipment": Limit(2, 1),
    "cancel_shipment": Limit(5, 1),
    "set_dispatch_date": Limit(2, 1),
    "label": Limit(1, 1),
    "manifest": Limit(1, 2),
    "ndr": Limit(5, 1),
    "track": Limit(10, 1),
    "raw_track": Limit(10, 1),
    "estimate": Limit(5, 1),
    "serviceability": Limit(10, 1),
    "lane_serviceability": Limit(10, 1),
    "bulk_serviceability": Limit(1, 10),
    "add_address": Limit(2, 1),
    "list_addresses": Limit(2, 1),
    "list_webhooks": Limit(5, 60),
    "add_webhook": Limit(5, 60),
    "edit_webhook": Limit(5, 60),
}

# The operations whose answers grow with the parcel's history, the ids or the addresses.
ANSWER_SIZES: Mapping[str, AnswerSize] = {
    "track": AnswerSize(json=256 * KIB),  # a scan takes about 250 bytes
    "raw_track": AnswerSize(json=512 * KIB),  # of all parcels of a large shipment
    "label": AnswerSize(json=512 * KIB, pdf=32 * MIB),  # 100 labels, about 3 KiB of data each
    "list_addresses": AnswerSize(json=512 * KIB),
    "bulk_serviceability": AnswerSize(json=8 * MIB),  # 30,000 pincodes, up to 250 bytes each
}
