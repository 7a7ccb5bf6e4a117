"""The reference of a warehouse at a courier, as a person gives it.

A courier may have the warehouse already, under a reference that it cannot be asked for. The given
one is kept, and bookings use it: the platform does not register the warehouse there again until its
address changes.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from couriers.contract.adapter import Capability
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.registry import CourierFactory
from couriers.contract.text import character_problem, clean_line
from couriers.models import CourierAccount, Warehouse, WarehouseRegistration
from couriers.models.warehouse import RegistrationState
from couriers.operations.decisions import reason_problems, record_decision
from couriers.resilience.lock import hold_lock

PERMISSION = "shipcrowd_couriers.give_reference"
GIVEN = "give_reference"
MAX_REFERENCE = 200  # characters


def accounts_with_references(warehouse: Warehouse) -> QuerySet[CourierAccount]:
    """Return the company's accounts whose couriers know warehouses by a reference."""
    codes = [code for code in CourierFactory.codes() if _has_references(code)]
    return CourierAccount.objects.filter(
        company=warehouse.company_id, is_test=warehouse.is_test, courier__in=codes
    )


def _has_references(courier: str) -> bool:
    adapter = CourierFactory.adapter_class(courier)
    return adapter.registers_warehouses or Capability.CREATE_WAREHOUSE in adapter.capabilities


def give_reference(
    account: CourierAccount,
    warehouse: Warehouse,
    reference: str,
    *,
    actor: AbstractBaseUser,
    reason: str,
) -> WarehouseRegistration:
    """Store the reference of the warehouse's present address, as synced, and note who gave it.

    Raises InvalidRequest naming `account`, `reference` or `reason`, and LockTimeout while a booking
    is registering the warehouse.
    """
    reference = clean_line(reference)
    problems = [*_reference_problems(account.courier_id, reference), *reason_problems(reason)]
    if not accounts_with_references(warehouse).filter(pk=account.pk).exists():
        problems.append(FieldProblem("account", "is none that this warehouse can have one with"))
    if problems:
        raise InvalidRequest(problems)
    # The lock of whoever registers the warehouse with the courier.
    with hold_lock(f"register:{account.pk}:{warehouse.pk}", life=60, wait=2), transaction.atomic():
        stored = Warehouse.objects.select_for_update(no_key=True).get(pk=warehouse.pk)
        known = WarehouseRegistration.objects.filter(account=account, warehouse=stored).first()
        given, _ = WarehouseRegistration.objects.update_or_create(
            account=account,
            warehouse=stored,
            defaults={
                "reference": reference,
                "state": RegistrationState.SYNCED,
                "reason": "",
                "address_hash": stored.as_pickup().address.fingerprint(),
            },
        )
        details = {
            "warehouse": stored.pk,
            "account": account.pk,
            "reference": reference,
            "former": known.reference if known else "",
        }
        record_decision(stored, actor, GIVEN, reason, details)
    return given


def _reference_problems(courier: str, reference: str) -> list[FieldProblem]:
    if not 0 < len(reference) <= MAX_REFERENCE:
        return [FieldProblem("reference", f"must have 1 to {MAX_REFERENCE} characters")]
    adapter = CourierFactory.adapter_class(courier)
    problem = character_problem(reference) or adapter.reference_problem(reference)
    return [FieldProblem("reference", problem)] if problem else []
