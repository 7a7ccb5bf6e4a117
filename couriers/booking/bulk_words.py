"""Why an order of a spreadsheet ended as it did, in the words of the file."""

from __future__ import annotations

from collections.abc import Callable

from couriers.booking.bulk import OrderResult

# Says what is wrong with a field of a draft, given the field's name and the message.
Describe = Callable[[str, str], str]


def reason_of(result: OrderResult, describe: Describe, rebook_remedy: str) -> str:
    """Return why the order ended so, and what is likely wrong with its shipment.

    `rebook_remedy` says how to book an order once more whose shipment has ended.
    """
    reasons = [describe(each.field, each.message) for each in result.problems] or [result.reason]
    if result.may_be_rebooked:
        reasons.append(rebook_remedy)
    warnings = result.shipment.warnings if result.shipment else []
    reasons += [describe(each["field"], each["message"]) for each in warnings]
    return "; ".join(reason for reason in reasons if reason)
