"""The trial of an account: one shipment of a company to itself, before it may book.

Its order number is made of the account, so that two people who book it at once book one. On a
courier's test server no parcel moves. On any other, a real shipment is booked, which whoever books
it must confirm in words.
"""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser

from couriers.booking.protocol import book
from couriers.contract import india
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.origins import is_test_server
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Address, Item, Parcel, PaymentMode, ShipmentDraft
from couriers.models import CourierAccount, Shipment, Warehouse
from couriers.operations.decisions import record_decision

BOOKED = "book_trial"  # the action of the audit entry
CONFIRMATION = "book a real shipment"  # what is typed where the account is no test account
ITEM = Item("Trial of the account, not to be dispatched", 1, Decimal("118.00"), Decimal(18))
PARCEL = Parcel(500, 10, 10, 10)


def order_number_of(account: CourierAccount) -> str:
    """Return the order number of the account's trial."""
    return f"TRIAL-{account.pk[-12:].upper()}"


def is_test_account(account: CourierAccount) -> bool:
    """Whether a booking with the account moves no parcel, as a person or its plug-in says."""
    if account.is_test:
        return True
    hosts = CourierFactory.adapter_class(account.courier_id).test_hosts
    return is_test_server(account.base_url, hosts)


def trial_of(account: CourierAccount) -> Shipment | None:
    """Return the account's trial; None where none was booked."""
    mine = Shipment.objects.filter(account=account, order_number=order_number_of(account))
    return mine.order_by("-id").first()


def book_trial(
    account: CourierAccount, *, actor: AbstractBaseUser, confirmation: str = ""
) -> Shipment:
    """Book the trial, or return the one that was booked before, unless that has failed.

    Raises InvalidRequest, naming `confirmation` where a real shipment would be booked and nobody
    said so, and what `book` raises.
    """
    earlier = trial_of(account)
    if earlier and earlier.status != Status.FAILED:
        return earlier
    is_real = not is_test_account(account)
    if is_real and confirmation.strip().lower() != CONFIRMATION:
        problem = FieldProblem("confirmation", f"type “{CONFIRMATION}”: this is no test server")
        raise InvalidRequest([problem], courier=account.courier_id)
    draft = _draft(account)
    shipment = book(account.company, draft, is_test=account.is_test, is_trial=True).shipment
    details = {"account": account.pk, "is_real": is_real, "order_number": shipment.order_number}
    record_decision(shipment, actor, BOOKED, "Trial of the account", details)
    return shipment


def _draft(account: CourierAccount) -> ShipmentDraft:
    """Return the draft of a prepaid parcel to the company's own address, else its warehouse's."""
    company = account.company
    warehouse = Warehouse.objects.filter(
        company=company, is_test=account.is_test, is_default=True
    ).first()
    has_own = all((company.phone, company.address, company.pincode))
    at = company if has_own or warehouse is None else warehouse
    return ShipmentDraft(
        courier=account.courier_id,
        order_number=order_number_of(account),
        order_date=india.today(),
        payment_mode=PaymentMode.PREPAID,
        consignee=Address(company.name, at.phone, at.address, at.city, at.state, at.pincode),
        items=(ITEM,),
        parcel=PARCEL,
    )
