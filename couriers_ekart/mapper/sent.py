"""What a call sends to Ekart, by what may come back of it in Ekart's words. Pure.

Every field that is not listed here is private: names, phones, addresses, goods, free texts, GSTINs
and the secret that callbacks are signed with.
"""

from __future__ import annotations

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
# The fields of answers with words for people, in the order in which they are looked for.
WORD_FIELDS = ("description", "remark", "message")
