"""From neutral requests to Ekart's JSON, and from Ekart's JSON to neutral answers. Pure.

`checks` finds what Ekart would refuse, `payloads` builds the bodies that are sent, `answers` and
`history` read what comes back. Money stays Decimal until the last step, where the document wants
JSON numbers. Nothing here does I/O, knows tables, or raises anything but couriers.contract.errors.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from couriers.contract import india

MAX_COD = Decimal(49_999)
MAX_WEIGHT_G = 30_000
EWAYBILL_ABOVE = Decimal(50_000)
SERVICES = ("SURFACE", "EXPRESS")
# Ids in one call for labels, manifests or dispatch dates (the document).
MAX_IDS = 100
# Days ahead that another attempt may be asked for (the document, ndr_data_v2).
REATTEMPT_DAYS = 7


def today_in_india(now: dt.datetime) -> dt.date:
    """The date in India at a moment."""
    return now.astimezone(india.IST).date()
