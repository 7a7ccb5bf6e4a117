"""Order numbers that choose what becomes of their shipment, such as TEST-NDR-1042."""

from __future__ import annotations

import enum
import re


class ChosenEnd(enum.StrEnum):
    """What an order number may choose. It is the word after `TEST-`, in small letters."""

    DELIVERED = "delivered"
    NDR = "ndr"  # undelivered, until the client asks for another attempt or the return
    RTO = "rto"
    DOUBT = "doubt"  # booked, but the answer is lost; the callbacks come
    REFUSED = "refused"  # not booked
    SLOW = "slow"  # booked, with an answer that comes late


OUTCOMES = {
    ChosenEnd.DELIVERED: "delivered",
    ChosenEnd.NDR: "undelivered",
    ChosenEnd.RTO: "rto",
    ChosenEnd.DOUBT: "delivered",
    ChosenEnd.SLOW: "delivered",
}
_FORM = re.compile(rf"TEST-({'|'.join(ChosenEnd)})(-.*)?", re.IGNORECASE)


def chosen_end(order_number: str) -> ChosenEnd | None:
    """What the order number chooses; None for any other number, whose end is drawn."""
    found = _FORM.fullmatch(order_number)
    return ChosenEnd(found[1].lower()) if found else None
