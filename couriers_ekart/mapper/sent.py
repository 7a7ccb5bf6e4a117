"""What a call sends to Ekart, by what may come back of it in Ekart's words. Pure.

Every field that is not listed here is private: names, phones, addresses, goods, free texts, GSTINs
and the secret that callbacks are signed with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from couriers.contract.masking import SentValues, sent_values

# Ids, places, dates and the plain words of the document. Cities and pincodes are among them: a
# refusal cannot be understood without them, and they are many people's.
OPEN_FIELDS = frozenset(
    {
        "order_number", "invoice_number", "invoice_date", "payment_mode",
        "serviceType", "category_of_goods", "hsn_code", "quantity", "commodity_value", "sku",
        "city", "state", "country", "pin", "pincode", "location_type", "templateName",
        "preferred_dispatch_date", "ewbn", "count",
        "alias", "ids", "dispatchDate", "tracking_id", "action", "wbn", "date",
        "url", "topics", "json_only",
        "billingClientType", "shippingDirection", "direction", "pickupPincode", "dropPincode",
        "paymentMode", "paymentType", "length", "width", "height", "weight", "invoiceAmount",
        "codAmount",
    }
)  # fmt: skip
NAME_FIELDS = frozenset({"consignee_name"})
# The fields of answers with words for people.
WORD_FIELDS = frozenset({"description", "remark", "message", "code"})
# The fields of the auth call's answer that are secret themselves, and are stored encrypted.
TOKEN_FIELDS = frozenset({"access_token"})


def values_of(
    body: Mapping[str, Any] | None, ids: tuple[str, ...], secrets: tuple[str, ...]
) -> SentValues:
    """Return the values of a call: of its body, the ids in its URL, and token and login."""
    pickup = (body or {}).get("pickup_location")
    if isinstance(pickup, Mapping) and len(pickup) == 1:
        ids = (*ids, str(pickup["name"]))  # the alias of a registered address
    return sent_values(
        body, open_fields=OPEN_FIELDS, name_fields=NAME_FIELDS, secrets=secrets, ids=ids
    )
