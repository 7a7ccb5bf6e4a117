"""What the choice of a courier reads: the company's accounts with their lane's pincodes, and rules.

Two statements, whatever the number of couriers and rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, Q, Subquery
from django.db.models.functions import Cast, JSONObject

from couriers.booking.permission import accounts_with_rollouts
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.types import Serviceability, ShipmentDraft
from couriers.models import Company, CourierAccount, CourierRule, ServiceablePincode, Warehouse
from couriers.models.rule_terms import InvalidRule, RuleTerms
from couriers.rates.serviceability import oldest_fresh

_FLAGS = (
    "pincode", "serviceable", "cod", "forward_pickup", "forward_drop", "reverse_pickup",
    "reverse_drop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountOnLane:
    """An account, and the fresh lines of its courier's list at both ends of the lane.

    `lines` are by pincode; one that the list lacks, or that is old, is missing.
    """

    account: CourierAccount
    lines: Mapping[str, Serviceability]


@dataclass(frozen=True, slots=True)
class LaneAccounts:
    """The company's accounts of a mode by their couriers' codes, and the warehouse's pincode."""

    accounts: Mapping[str, AccountOnLane]
    warehouse_pincode: str


def accounts_on_lane(company: Company, draft: ShipmentDraft, *, is_test: bool) -> LaneAccounts:
    """Read the company's accounts and the lane of the order, by one statement.

    Raises InvalidRequest naming `courier` where there is no account, and `warehouse` where the
    company has no such warehouse.
    """
    one = Q(pk=draft.warehouse_id) if draft.warehouse_id else Q(is_default=True)
    warehouses = Warehouse.objects.filter(one, company=company, is_test=is_test).order_by()
    pincode = Subquery(warehouses.values("pincode")[:1])
    lines = ServiceablePincode.objects.filter(
        Q(pincode=draft.consignee.pincode) | Q(pincode=pincode),
        courier_id=OuterRef("courier_id"),
        loaded_at__gte=oldest_fresh(),
    ).order_by()
    line = JSONObject(
        **{name: name for name in _FLAGS}, max_cod_amount=Cast("max_cod_amount", CharField())
    )
    mine = accounts_with_rollouts().filter(company=company, is_test=is_test)
    rows: list[Any] = list(
        mine.annotate(
            warehouse_pincode=pincode, lines=ArraySubquery(lines.values_list(line))
        ).order_by("courier_id")
    )
    if not rows:
        kind = "test account" if is_test else "account"
        message = f"{company.slug} has no {kind} with any courier"
        raise InvalidRequest([FieldProblem("courier", message)])
    if not rows[0].warehouse_pincode:
        message = "is not one of the company's" if draft.warehouse_id else "there is no default"
        raise InvalidRequest([FieldProblem("warehouse", message)])
    found = {row.courier_id: AccountOnLane(row, _lines_of(row.lines)) for row in rows}
    return LaneAccounts(found, rows[0].warehouse_pincode)


def rules_of(company: Company, *, is_test: bool) -> list[RuleTerms]:
    """Return the company's enabled rules of a mode, in order.

    Raises InvalidRequest naming `courier` where a stored rule cannot be read: another rule might
    else choose instead of it.
    """
    rows = CourierRule.objects.filter(company=company, is_test=is_test, is_enabled=True)
    found = []
    for row in rows.order_by("position", "id"):
        try:
            found.append(row.terms())
        except InvalidRule as error:
            message = f"the rule {row.name!r} cannot be read: {error}"
            raise InvalidRequest([FieldProblem("courier", message)]) from error
    return found


def _lines_of(rows: list[dict[str, Any]]) -> dict[str, Serviceability]:
    return {row["pincode"]: _line(row) for row in rows}


def _line(row: dict[str, Any]) -> Serviceability:
    limit = row["max_cod_amount"]
    return Serviceability(
        **{name: row[name] for name in _FLAGS},
        max_cod_amount=None if limit is None else Decimal(limit),
    )
