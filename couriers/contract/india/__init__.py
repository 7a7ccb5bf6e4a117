"""Indian phones, pincodes, states, GSTINs, HSN codes, GST rates and days.

Pure functions over public directories. Parsing never guesses: ambiguous input gives None. A
`…_problem` is surely wrong, so that a booking is refused; a `…_remark` is likely wrong, so that it
is booked with a warning.
"""

from couriers.contract.india.days import IST, day_span, today
from couriers.contract.india.gst_rates import (
    GST_BEGAN,
    RATES,
    gst_rate_problem,
    gst_rate_remark,
)
from couriers.contract.india.gstins import (
    GstinKind,
    gstin_kind,
    gstin_problem,
    seller_gstin_problem,
)
from couriers.contract.india.hsn import hsn_problem, hsn_remark
from couriers.contract.india.phones import (
    Phone,
    parse_phone,
    phone_problem,
    phone_remarks,
    read_phone,
    single_phone_problem,
)
from couriers.contract.india.pincodes import (
    PincodeKind,
    Place,
    clean_pincode,
    is_pincode,
    pincode_kind,
    pincode_problem,
    place_of,
    place_remark,
    state_contradiction,
    states_of,
)
from couriers.contract.india.remarks import Remark
from couriers.contract.india.states import GST_STATES, state_name, state_problem, state_remark
from couriers.contract.india.zones import METROS, SPECIAL_STATES, Zone, zone_of

__all__ = [
    "GST_BEGAN", "GST_STATES", "IST", "METROS", "RATES", "SPECIAL_STATES", "GstinKind", "Phone",
    "PincodeKind", "Place", "Remark", "Zone", "clean_pincode", "day_span", "gst_rate_problem",
    "gst_rate_remark", "gstin_kind", "gstin_problem", "hsn_problem", "hsn_remark", "is_pincode",
    "parse_phone", "phone_problem", "phone_remarks", "pincode_kind", "pincode_problem", "place_of",
    "place_remark", "read_phone", "seller_gstin_problem", "single_phone_problem",
    "state_contradiction",
    "state_name", "state_problem", "state_remark", "states_of", "today", "zone_of",
]  # fmt: skip
