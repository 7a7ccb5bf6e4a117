"""The rows of a company's accounts and warehouses, each kind read once for one page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from couriers.models import (
    AccountCheck,
    CallbackTally,
    Company,
    Warehouse,
    WarehouseRegistration,
)
from couriers.operations.rollouts import CompanyAtCourier, couriers_of

MAX_ROWS = 20  # of each kind


class CompanyRows:
    """What is stored of a company. Each property makes one statement the first time it is read."""

    def __init__(self, company: Company) -> None:
        self.company = company

    @cached_property
    def accounts(self) -> list[CompanyAtCourier]:
        """The accounts, with what keeps the company from booking with each."""
        return couriers_of(self.company, with_secrets=True)[:MAX_ROWS]

    @cached_property
    def checks(self) -> Mapping[tuple[str, str], AccountCheck]:
        """The last try of each kind, by the account's id and the kind."""
        rows = AccountCheck.objects.filter(account__in=self._account_ids)
        return {(row.account_id, row.kind): row for row in rows}

    @cached_property
    def tallies(self) -> Mapping[str, CallbackTally]:
        """What has come of callbacks, by the account's id."""
        return CallbackTally.objects.in_bulk(self._account_ids)

    @cached_property
    def warehouses(self) -> list[Warehouse]:
        """The warehouses, the default ones first."""
        return list(self.company.warehouses.order_by("-is_default", "name")[:MAX_ROWS])

    @cached_property
    def registrations(self) -> Mapping[str, list[WarehouseRegistration]]:
        """How couriers know the warehouses, by the warehouse's id."""
        found = defaultdict(list)
        rows = WarehouseRegistration.objects.filter(warehouse__in=self.warehouses)
        for row in rows.select_related("account__courier"):
            found[row.warehouse_id].append(row)
        return found

    @property
    def _account_ids(self) -> list[str]:
        return [one.account.pk for one in self.accounts]
