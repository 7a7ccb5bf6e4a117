"""What may come back of a call in Velocity's words: every field not listed is private. Pure."""

from __future__ import annotations

OPEN_FIELDS = frozenset(
    {
        "order_id", "order_date", "payment_method", "pickup_location", "warehouse_id", "carrier_id",
        "rto_warehouse_id", "sku", "billing_city", "billing_pincode", "billing_state", "search",
        "billing_country", "pickup_city", "pickup_pincode", "pickup_state", "pickup_country",
        "shipping_city", "shipping_pincode", "shipping_state", "shipping_country", "city", "state",
        "country", "zip", "awb", "awbs", "journey_type", "origin_pincode", "destination_pincode",
        "from", "to", "payment_mode", "shipment_type",
    }
)  # fmt: skip
NAME_FIELDS = frozenset({"billing_customer_name", "pickup_customer_name"})
# The fields of answers with words for people, in the order in which they are looked for.
WORD_FIELDS = ("message", "error", "errors")
