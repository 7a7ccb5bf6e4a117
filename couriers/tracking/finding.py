"""Finding a parcel by what its consignee has: an order number or a waybill, and the pincode.

The pincode is asked with either. Order numbers and waybills run on, so that whoever has one knows
the next; with the pincode a stranger must guess two things, and is stopped while guessing
(find_page.py).
"""

from __future__ import annotations

from django.db.models import QuerySet

from couriers.contract.text import clean_line, has_control_characters, make_storable
from couriers.models import Company, Shipment

MAX_NUMBER = 100  # characters, as a shipment's columns have


def clean_number(text: str) -> str:
    """Return an order number or waybill as one line; "" for what can be none."""
    number = clean_line(make_storable(text))
    return "" if len(number) > MAX_NUMBER or has_control_characters(number) else number


def plain_number(number: str) -> str:
    """Return what all spellings of a number have in common."""
    return number.lstrip("#").strip().casefold()


def find_parcel(company: Company | None, number: str, pincode: str) -> Shipment | None:
    """Return the newest shipment with this number and consignee's pincode, with its id alone.

    With a company, `number` is an order number or a waybill of it. Without one it is a waybill: two
    shops may have the same order number. A real parcel is found before a test. Makes one statement,
    which reads by indexes, whether anything is found or not.
    """
    branches = [branch.filter(consignee_pincode=pincode) for branch in _by_number(company, number)]
    if company is not None:
        branches = [branch.filter(company=company) for branch in branches]
    rows = [branch.order_by().only("pk", "is_test") for branch in branches]
    return rows[0].union(*rows[1:], all=True).order_by("is_test", "-id").first()


def _by_number(company: Company | None, number: str) -> list[QuerySet[Shipment]]:
    """One part for each index. The conditions on empty columns are those of the indexes."""
    plain = number.lstrip("#").strip()
    # Shops print `#1001` where the number is 1001, or the other way round.
    spellings = sorted({number, number.upper(), plain, f"#{plain}"} - {"", "#"})
    rows = Shipment.objects.all()
    found: list[QuerySet[Shipment]] = [
        rows.filter(tracking_id__in=spellings).exclude(tracking_id=""),
        rows.filter(waybill__in=spellings).exclude(waybill=""),
        rows.filter(former_tracking_ids__overlap=spellings).exclude(former_tracking_ids=[]),
    ]
    if company is not None:
        found.append(rows.filter(order_number__in=spellings))
    return found
