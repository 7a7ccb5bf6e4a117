"""A valid booking request to the API for the toy courier."""

from __future__ import annotations

from typing import Any

ORDER: dict[str, Any] = {
    "courier": "toy",
    "order_number": "A-1",
    "order_date": "2026-11-23",
    "payment_mode": "cod",
    "cod_amount": "1523.00",
    "consignee": {
        "name": "Asha Sample",
        "phone": "+91 98765 43210",
        "address": "9, Secret Lane",
        "city": "Bengaluru",
        "state": "Karnataka",
        "pincode": "560008",
    },
    "items": [
        {
            "name": "T-shirt 3XL",
            "sku": "TS-3XL",
            "category": "T-shirt",
            "hsn_code": "61091000",
            "quantity": 1,
            "value": "1523.00",
            "gst_rate": "12",
        }
    ],
    "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
}
