"""Masking what must not be stored, logged or shown in the words of a courier.

First the exact values that a request carried (`Scrubber`), then what looks like a phone number or
an e-mail address (`mask_text`).
"""

from couriers.contract.masking.patterns import MASK, has_long_number, mask_text
from couriers.contract.masking.scrubber import Scrubber
from couriers.contract.masking.sent import SentValues, sent_values

__all__ = ["MASK", "Scrubber", "SentValues", "has_long_number", "mask_text", "sent_values"]
