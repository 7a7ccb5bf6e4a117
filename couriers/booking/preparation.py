"""Completes a checked draft: finds the account and the warehouse and computes the amounts.

Nothing is stored here. What cannot be booked is refused. The courier is called only about a pincode
that the public directory lacks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from couriers.booking.permission import Permitted, account_of, check_bookings_are_on
from couriers.booking.places import complete_place
from couriers.booking.stored_drafts import items_json
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.money import amounts_of
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    PaymentMode,
    Seller,
    ShipmentDraft,
    ShipmentRequest,
)
from couriers.models import Company, CourierAccount, Shipment, Warehouse
from couriers.models.compiled import CompiledQuery, Slot
from couriers.models.ids import new_shipment_id
from couriers.rates.quotes import read_quote
from couriers.rates.serviceability import known_cod_limit, oldest_fresh, refuse_above_limit


@dataclass(frozen=True, slots=True)
class Prepared:
    """A shipment that is not stored yet, and the request that books it with the courier.

    `permitted` says when it was seen that the company may book with the courier.
    """

    account: CourierAccount
    shipment: Shipment
    request: ShipmentRequest
    permitted: Permitted


def prepare(
    company: Company, draft: ShipmentDraft, *, is_test: bool = False, is_trial: bool = False
) -> Prepared:
    """Complete a draft that `couriers.booking.drafts.clean_draft` has checked.

    Raises UnknownCourier where no plug-in registered the courier, and CourierDisabled where an
    operator has switched bookings off or the courier's roll-out does not include the company.
    Raises InvalidRequest for a missing account, an unknown warehouse, an unknown pincode, a city or
    state that cannot be found, and what the courier's plug-in refuses.
    """
    account = account_of(company, draft.courier, is_test=is_test)
    permitted = check_bookings_are_on(account, draft.order_number, is_trial=is_trial)
    adapter = CourierFactory.get_adapter(account)
    options = adapter.validate_options(draft.options)
    warehouse, reference, cod_limit = _find_warehouse(account, draft)
    quoted = read_quote(company.pk, draft, warehouse.pincode)
    refuse_above_limit(draft.courier, draft.consignee.pincode, draft.cod_amount, cod_limit)
    place = complete_place(account, adapter, draft.consignee, warehouse.pincode)
    request = ShipmentRequest(
        order_number=draft.order_number,
        order_date=draft.order_date,
        direction=draft.direction,
        payment_mode=draft.payment_mode,
        cod_amount=draft.cod_amount,
        consignee=place.address,
        items=draft.items,
        parcel=draft.parcel,
        seller=Seller(
            name=company.name,
            gstin=company.gstin,
            address=company.address,
            state=company.state,
        ),
        pickup=warehouse.as_pickup(reference),
        service=quoted.service if quoted else draft.service,
        invoice_number=draft.invoice_number,
        invoice_date=draft.invoice_date,
        return_reason=draft.return_reason,
        options=options,
    )
    adapter.check_request(request)
    shipment = _new_shipment(company, account, warehouse, draft, request)
    shipment.price_quoted = quoted.price if quoted else None
    warnings = dict.fromkeys((*draft.warnings, *place.warnings))
    shipment.warnings = [dataclasses.asdict(warning) for warning in warnings]
    return Prepared(account, shipment, request, permitted)


def _find_warehouse(
    account: CourierAccount, draft: ShipmentDraft
) -> tuple[Warehouse, str, Decimal | None]:
    """Return the warehouse, the courier's reference for it, and the COD limit, by one query.

    The reference is "" unless the warehouse's current address is registered. The COD limit is the
    courier's limit in rupees at the consignee's pincode, or None where the shipment is prepaid or
    the limit is not known. Raises InvalidRequest where there is no such warehouse.
    """
    asked: dict[str, Any] = {"company": account.company_id, "account": account.pk}
    asked["is_test"] = account.is_test
    if draft.warehouse_id:
        asked["warehouse"] = draft.warehouse_id
    is_cod = draft.payment_mode == PaymentMode.COD
    if is_cod:
        asked |= {"courier": account.courier_id, "pincode": draft.consignee.pincode}
        asked |= {"oldest": oldest_fresh()}
    warehouse: Any = _WAREHOUSES[bool(draft.warehouse_id), is_cod].first(**asked)
    if warehouse is None:
        message = (
            "is not one of the company's" if draft.warehouse_id else "the company has no default"
        )
        raise InvalidRequest([FieldProblem("warehouse", message)], courier=account.courier_id)
    unchanged = warehouse.registered_address == warehouse.as_pickup().address.fingerprint()
    reference = warehouse.courier_reference if unchanged else ""
    return warehouse, reference, getattr(warehouse, "cod_limit", None)


def _warehouses(*, by_id: bool, is_cod: bool) -> QuerySet[Warehouse]:
    """Return the query of `_find_warehouse`."""
    wanted = Q(pk=Slot("warehouse")) if by_id else Q(is_default=True)
    rows = (
        Warehouse.objects.filter(wanted, company_id=Slot("company"), is_test=Slot("is_test"))
        .annotate(
            at_courier=FilteredRelation(
                "registrations", condition=Q(registrations__account=Slot("account"))
            )
        )
        .annotate(
            courier_reference=F("at_courier__reference"),
            registered_address=F("at_courier__address_hash"),
        )
        .order_by()
    )
    if is_cod:
        limit = known_cod_limit(Slot("courier"), Slot("pincode"), Slot("oldest"))
        rows = rows.annotate(cod_limit=limit)
    return rows


_WAREHOUSES = {
    (by_id, is_cod): CompiledQuery(Warehouse, partial(_warehouses, by_id=by_id, is_cod=is_cod))
    for by_id in (False, True)
    for is_cod in (False, True)
}


def _new_shipment(
    company: Company,
    account: CourierAccount,
    warehouse: Warehouse,
    draft: ShipmentDraft,
    request: ShipmentRequest,
) -> Shipment:
    """Return the unsaved shipment with its amounts. Refuse a COD amount above the total."""
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
        is_test=account.is_test,
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
        items=items_json(request.items),
        weight_g=request.parcel.weight_g,
        length_cm=request.parcel.length_cm,
        width_cm=request.parcel.width_cm,
        height_cm=request.parcel.height_cm,
        consignee_name=request.consignee.name,
        consignee_phone=request.consignee.phone,
        consignee_address=request.consignee.address,
        consignee_landmark=request.consignee.landmark or None,
        consignee_email=request.consignee.email or None,
        consignee_city=request.consignee.city,
        consignee_state=request.consignee.state,
        consignee_pincode=request.consignee.pincode,
        options=dict(draft.options),
        metadata=dict(draft.metadata),
        return_reason=request.return_reason,
        invoice_number=request.invoice_number,
        invoice_date=request.invoice_date,
    )
