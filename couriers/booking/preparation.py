"""Completes a checked draft: finds the account and the warehouse and computes the amounts.

Nothing is stored here. What cannot be booked is refused. The courier is called only about a pincode
that the public directory lacks.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, FilteredRelation, Q

from couriers.booking.places import complete_place
from couriers.booking.stored_drafts import items_json
from couriers.contract.errors import CourierDisabled, FieldProblem, InvalidRequest
from couriers.contract.money import amounts_of
from couriers.contract.registry import CourierFactory
from couriers.contract.types import (
    PaymentMode,
    Seller,
    ShipmentDraft,
    ShipmentRequest,
)
from couriers.models import Company, CourierAccount, Shipment, Warehouse
from couriers.models.account import Rollout
from couriers.models.ids import new_shipment_id
from couriers.rates.serviceability import known_cod_limit, refuse_above_limit

DISABLED_RETRY_AFTER = 300  # seconds


@dataclass(frozen=True, slots=True)
class Prepared:
    """A shipment that is not stored yet, and the request that books it with the courier."""

    account: CourierAccount
    shipment: Shipment
    request: ShipmentRequest


def prepare(company: Company, draft: ShipmentDraft) -> Prepared:
    """Complete a draft that `couriers.booking.drafts.clean_draft` has checked.

    Raises UnknownCourier where no plug-in registered the courier, and CourierDisabled where an
    operator has switched bookings off. Raises InvalidRequest for a missing account, an unknown
    warehouse, an unknown pincode, a city or state that cannot be found, and what the courier's
    plug-in refuses.
    """
    account = account_of(company, draft.courier)
    adapter = CourierFactory.get_adapter(account)
    _check_bookings_are_on(account, draft)
    options = adapter.validate_options(draft.options)
    warehouse, reference, cod_limit = _find_warehouse(account, draft)
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
        service=draft.service,
        invoice_number=draft.invoice_number,
        invoice_date=draft.invoice_date,
        return_reason=draft.return_reason,
        options=options,
    )
    adapter.check_request(request)
    shipment = _new_shipment(company, account, warehouse, draft, request)
    warnings = dict.fromkeys((*draft.warnings, *place.warnings))
    shipment.warnings = [dataclasses.asdict(warning) for warning in warnings]
    return Prepared(account, shipment, request)


def account_of(company: Company, courier: str) -> CourierAccount:
    """Return the company's account with a courier, without its secrets.

    Raises UnknownCourier where no plug-in registered the courier, and InvalidRequest where the
    company has no account with it.
    """
    CourierFactory.adapter_class(courier)
    # Only a new adapter reads the secrets, and adapters are cached. So they are not decrypted for
    # each booking.
    accounts = CourierAccount.objects.select_related("courier").defer(
        "login", "webhook_secret", "previous_webhook_secret"
    )
    try:
        return accounts.get(company=company, courier_id=courier)
    except CourierAccount.DoesNotExist:
        raise InvalidRequest(
            [FieldProblem("courier", f"{company.slug} has no account with {courier}")],
            courier=courier,
        ) from None


def _check_bookings_are_on(account: CourierAccount, draft: ShipmentDraft) -> None:
    """Raise CourierDisabled where the courier or the account is switched off for this order.

    The order number decides whether an order is in the share of a canary account, so the same order
    always gets the same answer.
    """
    if not account.courier.is_enabled:
        raise CourierDisabled(
            "new bookings are switched off",
            courier=account.courier_id,
            retry_after=DISABLED_RETRY_AFTER,
        )
    percentile = zlib.crc32(draft.order_number.encode()) % 100
    if account.rollout == Rollout.OFF or (
        account.rollout == Rollout.CANARY and percentile >= account.canary_percent
    ):
        raise CourierDisabled(
            f"this account is {account.get_rollout_display().lower()} for new bookings",
            courier=account.courier_id,
            retry_after=DISABLED_RETRY_AFTER,
        )


def _find_warehouse(
    account: CourierAccount, draft: ShipmentDraft
) -> tuple[Warehouse, str, Decimal | None]:
    """Return the warehouse, the courier's reference for it, and the COD limit, by one query.

    The reference is "" unless the warehouse's current address is registered. The COD limit is the
    courier's limit in rupees at the consignee's pincode, or None where the shipment is prepaid or
    the limit is not known. Raises InvalidRequest where there is no such warehouse.
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
        message = (
            "is not one of the company's" if draft.warehouse_id else "the company has no default"
        )
        raise InvalidRequest(
            [FieldProblem("warehouse", message)], courier=account.courier_id
        ) from None
    unchanged = warehouse.registered_address == warehouse.as_pickup().address.fingerprint()
    reference = warehouse.courier_reference if unchanged else ""
    return warehouse, reference, getattr(warehouse, "cod_limit", None)


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
        consignee_city=request.consignee.city,
        consignee_state=request.consignee.state,
        consignee_pincode=request.consignee.pincode,
        options=dict(draft.options),
        return_reason=request.return_reason,
        invoice_number=request.invoice_number,
        invoice_date=request.invoice_date,
    )
