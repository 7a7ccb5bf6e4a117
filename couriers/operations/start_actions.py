"""What an operator does in the guided start, beside the tries of account_checks.py and the trial.

Each may be done again without harm: the second time finds what the first has done.
"""

from __future__ import annotations

import secrets

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.booking.registration import ensure_registered
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.registry import CourierFactory
from couriers.models import AccountCheck, CourierAccount, WarehouseRegistration
from couriers.models.account import Rollout
from couriers.models.rollout import CourierRollout
from couriers.models.transactions import refuse_open_transaction
from couriers.operations.account_checks import register_callbacks
from couriers.operations.decisions import record_decision
from couriers.operations.guided_start import default_warehouse
from couriers.operations.rollouts import change_rollout, couriers_of, state_of
from couriers.operations.switches import seen_of, switch_account
from couriers.operations.webhook_registration import SECRET_BYTES
from couriers.resilience import waits


def register_warehouse(account: CourierAccount) -> str:
    """Register the company's default warehouse with the courier; return the courier's name of it.

    "" where the courier refuses it and takes its whole address with each booking instead. Raises
    what `ensure_registered` raises, and InvalidRequest where there is no warehouse.
    """
    refuse_open_transaction("register_warehouse()")
    warehouse = default_warehouse(account)
    if warehouse is None:
        raise InvalidRequest([FieldProblem("warehouse", "the company has none")])
    pickup = warehouse.as_pickup()
    with waits.limit_sum():
        return ensure_registered(CourierFactory.get_adapter(account), pickup)


def forget_refusal(account: CourierAccount) -> None:
    """Let the courier be asked again about a warehouse that it has refused."""
    refused = WarehouseRegistration.objects.filter(account=account, state="failed")
    refused.delete()


def start_callbacks(account: CourierAccount, actor: AbstractBaseUser) -> AccountCheck:
    """Register the callback addresses, after making a webhook secret where there is none."""
    with transaction.atomic():
        row = CourierAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        if not row.webhook_secret:
            row.webhook_secret = secrets.token_urlsafe(SECRET_BYTES)
            row.save(update_fields=["webhook_secret", "updated_at"])
            details = {"account": row.pk}
            record_decision(row, actor, "make_webhook_secret", "Guided start", details)
    account.refresh_from_db(fields=["webhook_secret", "updated_at"])
    return register_callbacks(account, actor)


def open_bookings(account: CourierAccount, *, actor: AbstractBaseUser, reason: str) -> bool:
    """Let the company book with the account. Returns False where it may book already.

    An account that is off takes all orders from then on, and a company that the courier's roll-out
    does not include is named. Raises InvalidRequest where the courier is off for every company,
    and as `switch_account` and `change_rollout`.
    """
    courier = account.courier
    obstacles = {one.account.pk: one.obstacles for one in couriers_of(account.company)}
    if not obstacles.get(account.pk):
        return False
    state = state_of(courier)
    is_none = state.rollout == CourierRollout.PERCENTAGE and state.percentage == 0
    if not courier.is_enabled or state.rollout == CourierRollout.OFF or is_none:
        text = f"{courier} is off for every company: switch it on, or change its roll-out, first"
        raise InvalidRequest([FieldProblem("courier", text)])
    with transaction.atomic():
        if account.rollout == Rollout.OFF:
            switch_account(
                account.pk, Rollout.LIVE, actor=actor, reason=reason, seen=seen_of(account)
            )
        if account.company.slug not in state.companies and state.rollout != CourierRollout.ALL:
            change_rollout(
                courier.pk, state.rollout, percentage=state.percentage,
                companies=[*state.companies, account.company.slug], actor=actor, reason=reason,
            )  # fmt: skip
    return True
