"""The circuits between accounts and their couriers, for operators: which are open, and closing one.

A circuit opens by itself after failures in a row, and closes by itself with the first good call
after its cooldown. Closing it by hand lets calls be made at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from couriers.contract.logs import get_logger
from couriers.models import CourierAccount
from couriers.operations.decisions import record_decision
from couriers.resilience.circuit_breaker import CircuitBreaker

log = get_logger(__name__)

CLOSED_BY_HAND = "close_circuit"  # the action of the audit entry


def circuit_state(account: CourierAccount) -> str:
    """Return `closed`, `open` or `half_open`."""
    return CircuitBreaker.of_account(account.courier_id, account.pk).state()


def not_closed(accounts: Iterable[CourierAccount]) -> list[CourierAccount]:
    """Return those of the accounts whose circuit is not closed. Asks Redis once for each."""
    return [account for account in accounts if circuit_state(account) != "closed"]


def close_circuit(account: CourierAccount, *, actor: AbstractBaseUser, reason: str = "") -> str:
    """Close the account's circuit, and return its state after that.

    The audit trail says who did it. One that is closed
    already is left, and nothing is written.
    """
    before = circuit_state(account)
    if before == "closed":
        return before
    with transaction.atomic():
        record_decision(
            account, actor, CLOSED_BY_HAND, reason,
            before={"circuit": before}, after={"circuit": "closed"},
        )  # fmt: skip
    CircuitBreaker.of_account(account.courier_id, account.pk).reset()
    log.warning("circuit_reset", account=account.pk, actor=str(actor.pk))
    return circuit_state(account)
