"""Checks and cleans a merchant's request before anything is stored or sent.

The API, bulk jobs and spreadsheets use it. All problems are reported together, each with its field
in the merchant's vocabulary. What is surely wrong is refused, and what is only likely wrong becomes
a warning (docs/checks.md has the list). A courier's own rules are checked by its adapter.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from couriers.booking.items import clean_items
from couriers.booking.metadata import clean_metadata
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.field_problems import FieldProblems
from couriers.contract.money import AMOUNT_LIMIT, paise_problem
from couriers.contract.registry import AUTO
from couriers.contract.text import clean_line, has_control_characters
from couriers.contract.types import (
    MAX_SERVICE,
    Address,
    Direction,
    Parcel,
    PaymentMode,
    ShipmentDraft,
)

MAX_KEY_LENGTH = 255
MAX_LANDMARK = 200  # characters
MAX_PARCEL_MEASURE = 1_000_000  # grams or centimetres
# The law wants a year's books kept for 72 months after its return: older orders are not shipped.
MAX_ORDER_AGE = dt.timedelta(days=6 * 366)
OLD_ORDER = dt.timedelta(days=366)


def clean_key(key: str) -> str:
    """Return the Idempotency-Key. Raises InvalidRequest if it may not be stored."""
    if not key or len(key) > MAX_KEY_LENGTH or has_control_characters(key):
        message = f"1 to {MAX_KEY_LENGTH} characters, none of them control characters"
        raise InvalidRequest([FieldProblem("Idempotency-Key", message)])
    return key


def clean_draft(draft: ShipmentDraft) -> ShipmentDraft:
    """Return the draft with clean texts, a ten-digit phone, the state's name, and warnings.

    Raises InvalidRequest with all problems. A blank city or state is not a problem: the platform
    fills it from the pincode. A blank courier is AUTO. A draft that is cleaned twice keeps the
    warnings of the first time.
    """
    problems = FieldProblems()
    metadata = clean_metadata(draft.metadata, problems)
    consignee = _clean_consignee(draft, problems)
    items = clean_items(draft, problems)
    _check_parcel(draft.parcel, problems)
    _check_payment(draft, problems)
    order = _clean_order(draft, problems)
    if problems:
        raise InvalidRequest(problems, courier=draft.courier, operation="create_shipment")
    warnings = tuple(dict.fromkeys((*draft.warnings, *problems.warnings)))
    return dataclasses.replace(
        order, consignee=consignee, items=items, metadata=metadata, warnings=warnings
    )


def _clean_order(draft: ShipmentDraft, problems: FieldProblems) -> ShipmentDraft:
    """Check the order's dates and clean its texts."""
    today = india.today()
    problems.require(
        draft.order_date <= today, "order_date", f"is in the future: today is {today} in India"
    )
    _check_age("order_date", draft.order_date, today, problems)
    if draft.invoice_date is not None:
        _check_age("invoice_date", draft.invoice_date, today, problems)
        if draft.invoice_date > today:
            # Goods may be booked a day before they leave with their invoice.
            remark = india.Remark("invoice_date_in_future", f"is after today, {today} in India")
            problems.warn("invoice_date", remark)
    clean = problems.clean_text
    return dataclasses.replace(
        draft,
        courier=draft.courier or AUTO,
        order_number=clean("order_number", draft.order_number, 100),
        service=clean("service", draft.service, MAX_SERVICE, required=False),
        invoice_number=clean("invoice_number", draft.invoice_number, 100, required=False),
        return_reason=clean("return_reason", draft.return_reason, 300, required=False),
    )


def _check_age(field: str, day: dt.date, today: dt.date, problems: FieldProblems) -> None:
    earliest = max(india.GST_BEGAN, today - MAX_ORDER_AGE)
    problems.require(day >= earliest, field, f"is before {earliest}: is the year right?")
    if earliest <= day < today - OLD_ORDER:
        problems.warn(field, india.Remark(f"{field}_old", "is more than a year ago"))


def _clean_consignee(draft: ShipmentDraft, problems: FieldProblems) -> Address:
    consignee = draft.consignee
    problems.refuse("consignee.phone", india.phone_problem(consignee.phone))
    for remark in india.phone_remarks(consignee.phone):
        problems.warn("consignee.phone", remark)
    pincode = india.clean_pincode(consignee.pincode)
    problems.refuse("consignee.pincode", india.pincode_problem(pincode))
    clean = problems.clean_text
    return Address(
        name=clean("consignee.name", consignee.name, 200),
        phone=india.parse_phone(consignee.phone) or "",
        address=clean("consignee.address", consignee.address, 500),
        city=clean("consignee.city", consignee.city, 100, required=False),
        state=_clean_state(draft, pincode, problems),
        pincode=pincode,
        landmark=clean("consignee.landmark", consignee.landmark, MAX_LANDMARK, required=False),
        email=clean_email(consignee.email, problems),
    )


def clean_email(text: str, problems: FieldProblems) -> str:
    """Return the consignee's e-mail address, or "". Adds a problem for another text."""
    email = clean_line(text)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            problems.refuse("consignee.email", "is no e-mail address")
    return email


def _clean_state(draft: ShipmentDraft, pincode: str, problems: FieldProblems) -> str:
    """Return the official name of the state, which must not contradict the pincode.

    The address of a return is that of the delivery before it, so there a contradiction is only a
    warning.
    """
    field = "consignee.state"
    text = problems.clean_text(field, draft.consignee.state, 100, required=False)
    if not text:
        return ""
    problems.refuse(field, india.state_problem(text))
    state = india.state_name(text)
    if state is None:
        return text
    problems.warn(field, india.state_remark(text))
    problems.warn(field, india.place_remark(pincode, state))
    contradiction = india.state_contradiction(pincode, state)
    if contradiction and draft.direction == Direction.REVERSE:
        problems.warn(field, india.Remark("state_differs", contradiction))
    else:
        problems.refuse(field, contradiction)
    return state


def _check_parcel(parcel: Parcel, problems: FieldProblems) -> None:
    for measure in dataclasses.fields(parcel):
        value = getattr(parcel, measure.name)
        problems.require(
            1 <= value <= MAX_PARCEL_MEASURE,
            f"parcel.{measure.name}",
            f"must be 1 to {MAX_PARCEL_MEASURE}",
        )


def _check_payment(draft: ShipmentDraft, problems: FieldProblems) -> None:
    amount = draft.cod_amount
    if draft.payment_mode == PaymentMode.COD:
        problems.require(
            amount.is_finite() and 0 < amount < AMOUNT_LIMIT,
            "cod_amount",
            "must be more than 0 for COD",
        )
        problems.refuse("cod_amount", paise_problem(amount))
    else:
        problems.require(
            amount.is_finite() and amount == 0,
            "cod_amount",
            "must be left out for a prepaid order",
        )
