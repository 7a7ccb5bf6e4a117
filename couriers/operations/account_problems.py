"""What a company's accounts still lack, or what is wrong with them, in words that say what to do.

Each is a step of the guided start that is not done, read here for all accounts at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from couriers.models import CheckKind, CourierAccount, Warehouse, WarehouseRegistration
from couriers.operations.company_rows import CompanyRows
from couriers.operations.guided_start import (
    Step,
    StepKey,
    StepState,
    callbacks_step,
    is_usable,
    login_step,
    refused_bookings,
    warehouse_step,
)
from couriers.operations.last_bookings import refusals_of


@dataclass(frozen=True, slots=True)
class AccountProblem:
    """A step of an account that somebody must do."""

    account: CourierAccount
    step: Step


def account_problems(rows: CompanyRows) -> list[AccountProblem]:
    """Return what is to be done for the company's accounts.

    A login that nobody has tested is no problem. How many statements it makes does not depend on
    the number of accounts, except those whose courier has no call that tries a login.
    """
    refusals = refusals_of(rows.company)
    defaults = {one.is_test: one for one in rows.warehouses if one.is_default}
    found = []
    for account in (one.account for one in rows.accounts if is_usable(one.account)):
        warehouse = defaults.get(account.is_test)
        steps = [
            warehouse_step(account, warehouse, _registration(rows, account, warehouse)),
            callbacks_step(
                account,
                rows.checks.get((account.pk, CheckKind.CALLBACKS)),
                rows.tallies.get(account.pk),
            ),
        ]
        if login := rows.checks.get((account.pk, CheckKind.LOGIN)):
            steps.insert(0, login_step(account, login))
        if refused := refusals.get(account.pk):
            text = refused_bookings(account, refused)
            steps.append(Step(StepKey.LIVE, StepState.FAILED, text, refused.at))
        found += [AccountProblem(account, one) for one in steps if _is_open(one)]
    return found


def _registration(
    rows: CompanyRows, account: CourierAccount, warehouse: Warehouse | None
) -> WarehouseRegistration | None:
    known = rows.registrations.get(warehouse.pk, []) if warehouse else []
    return next((one for one in known if one.account_id == account.pk), None)


def _is_open(step: Step) -> bool:
    """Whether somebody must do something. Only of callbacks a person is waited for."""
    waits = step.state == StepState.WAITING and step.key == StepKey.CALLBACKS
    return waits or step.state in (StepState.TO_DO, StepState.FAILED)
