"""From a checked draft to a shipment that is ready to be booked: account, warehouse, amounts.

Everything here is looked up or refused before anything is stored. The only call it may make is
for the city of a pincode that the public directory lacks.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, FilteredRelation, Q

from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierDisabled, CourierError, FieldProblem, InvalidRequest
from couriers.contract.money import amounts_of
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    Address,
    Item,
    PaymentMode,
    Seller,
    ShipmentDraft,
    ShipmentRequest,
)
from couriers.models import Company, CourierAccount, Shipment, Warehouse
from couriers.models.account import Rollout
from couriers.models.ids import new_shipment_id
from couriers.rates.serviceability import known_cod_limit


@dataclass(frozen=True, slots=True)
class Prepared:
    """A shipment that has not been stored yet, and the request that would book it."""

    account: CourierAccount
    shipment: Shipment
    request: ShipmentRequest


def prepare(company: Company, draft: ShipmentDraft) -> Prepared:
    """Complete a checked draft.

    Raises UnknownCourier; InvalidRequest for a missing account, an unknown warehouse or whatever
    the courier's plug-in refuses before the wire; CourierDisabled where an operator has switched
    bookings off; and what the courier says to a question about a pincode.
    """
    account = account_of(company, draft.courier)
    adapter = CourierFactory.get_adapter(account)
    _check_switches(account, draft)
    options = adapter.validate_options(draft.options)
    warehouse, reference, cod_limit = _warehouse(account, draft)
    _check_cod(draft, cod_limit)
    consignee = _with_place(adapter, draft.consignee)
    request = ShipmentRequest(
        order_number=draft.order_number,
        order_date=draft.order_date,
        direction=draft.direction,
        payment_mode=draft.payment_mode,
        cod_amount=draft.cod_amount,
        consignee=consignee,
        items=draft.items,
        parcel=draft.parcel,
        seller=Seller(
            name=company.name,
            gstin=company.gstin,
            address=company.address,
            state=company.state,
        ),
        pickup=warehouse.as_pickup(reference),
        service=draft.service,
        invoice_number=draft.invoice_number,
        invoice_date=draft.invoice_date,
        return_reason=draft.return_reason,
        options=options,
    )
    adapter.check_request(request)
    return Prepared(account, _unsaved(company, account, warehouse, draft, request), request)


def account_of(company: Company, courier: str) -> CourierAccount:
    """The company's account with a courier.

    Raises UnknownCourier for one that no plug-in registered, InvalidRequest where the company has
    no account with it.
    """
    CourierFactory.adapter_class(courier)
    # The secrets are for the adapter, which has them already.
    accounts = CourierAccount.objects.select_related("courier").defer(
        "username", "password", "webhook_secret", "previous_webhook_secret"
    )
    try:
        return accounts.get(company=company, courier_id=courier)
    except CourierAccount.DoesNotExist:
        raise InvalidRequest(
            [FieldProblem("courier", f"{company.slug} has no account with {courier}")],
            courier=courier,
        ) from None


def _check_switches(account: CourierAccount, draft: ShipmentDraft) -> None:
    if not account.courier.is_enabled:
        raise CourierDisabled(
            "new bookings are switched off", courier=account.courier_id, retry_after=300
        )
    share = zlib.crc32(draft.order_number.encode()) % 100
    if account.rollout == Rollout.OFF or (
        account.rollout == Rollout.CANARY and share >= account.canary_percent
    ):
        raise CourierDisabled(
            f"this account is {account.get_rollout_display().lower()} for new bookings",
            courier=account.courier_id,
            retry_after=300,
        )


def _check_cod(draft: ShipmentDraft, limit: Decimal | None) -> None:
    """Refuse a COD above what the courier collects at the consignee's pincode, where known."""
    if draft.payment_mode == PaymentMode.COD and limit is not None and draft.cod_amount > limit:
        raise InvalidRequest(
            [
                FieldProblem(
                    "cod_amount",
                    f"is more than the {limit:.2f} rupees that {draft.courier} collects at "
                    f"{draft.consignee.pincode}",
                )
            ],
            courier=draft.courier,
        )


def _warehouse(
    account: CourierAccount, draft: ShipmentDraft
) -> tuple[Warehouse, str, Decimal | None]:
    """The warehouse with the courier's own reference for it, and the consignee's pincode's COD
    limit where it matters and is known: in one query.

    A reference that was given to an address since changed is none.
    """
    wanted = Q(pk=draft.warehouse_id) if draft.warehouse_id else Q(is_default=True)
    rows = (
        Warehouse.objects.filter(wanted, company_id=account.company_id)
        .annotate(
            at_courier=FilteredRelation(
                "registrations", condition=Q(registrations__account=account)
            )
        )
        .annotate(
            courier_reference=F("at_courier__reference"),
            registered_address=F("at_courier__address_hash"),
        )
    )
    if draft.payment_mode == PaymentMode.COD:
        limit = known_cod_limit(account.courier_id, draft.consignee.pincode)
        rows = rows.annotate(cod_limit=limit)
    try:
        warehouse = rows.get()
    except Warehouse.DoesNotExist:
        why = "is not one of the company's" if draft.warehouse_id else "the company has no default"
        raise InvalidRequest([FieldProblem("warehouse", why)], courier=account.courier_id) from None
    same = warehouse.registered_address == warehouse.as_pickup().address.fingerprint()
    reference = warehouse.courier_reference if same else ""
    return warehouse, reference, getattr(warehouse, "cod_limit", None)


def _with_place(adapter: BaseCourierAdapter, consignee: Address) -> Address:
    """Fill a blank city or state from the pincode: the public directory's, else the courier's."""
    if consignee.city and consignee.state:
        return consignee
    place = india.place_of(consignee.pincode)
    city, state = (place.city, place.state) if place else ("", "")
    if not ((consignee.city or city) and (consignee.state or state)) and adapter.supports(
        Capability.CHECK_SERVICEABILITY
    ):
        try:
            known = adapter.check_serviceability(consignee.pincode)
        except CourierError:
            # The refusal below names what is missing; the order can be sent again with it.
            known = None
        if known:
            city = city or known.city
            state = state or india.state_name(known.state) or ""
    filled = dataclasses.replace(
        consignee, city=consignee.city or city, state=consignee.state or state
    )
    missing = [
        FieldProblem(f"consignee.{field}", "is missing, and the pincode does not tell it")
        for field in ("city", "state")
        if not getattr(filled, field)
    ]
    if missing:
        raise InvalidRequest(missing, courier=adapter.code)
    return filled


def _unsaved(
    company: Company,
    account: CourierAccount,
    warehouse: Warehouse,
    draft: ShipmentDraft,
    request: ShipmentRequest,
) -> Shipment:
    amounts = amounts_of(request.items)
    if request.cod_amount > amounts.total:
        raise InvalidRequest(
            [FieldProblem("cod_amount", "is more than the order's total")],
            courier=account.courier_id,
        )
    return Shipment(
        id=new_shipment_id(),
        company=company,
        account=account,
        courier_id=account.courier_id,
        warehouse=warehouse,
        original_id=draft.original_id or None,
        direction=request.direction,
        order_number=request.order_number,
        order_date=request.order_date,
        service=request.service,
        payment_mode=request.payment_mode,
        cod_amount=request.cod_amount,
        total_amount=amounts.total,
        taxable_amount=amounts.taxable,
        tax_amount=amounts.tax,
        items=[_as_json(item) for item in request.items],
        weight_g=request.parcel.weight_g,
        length_cm=request.parcel.length_cm,
        width_cm=request.parcel.width_cm,
        height_cm=request.parcel.height_cm,
        consignee_name=request.consignee.name,
        consignee_phone=request.consignee.phone,
        consignee_address=request.consignee.address,
        consignee_city=request.consignee.city,
        consignee_state=request.consignee.state,
        consignee_pincode=request.consignee.pincode,
        options=dict(draft.options),
        return_reason=request.return_reason,
    )


def _as_json(item: Item) -> dict[str, Any]:
    return dataclasses.asdict(item) | {"value": str(item.value), "gst_rate": str(item.gst_rate)}
