"""Writes the audit of calls: a row before the call, its outcome afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from couriers.contract.errors import CourierError, InvalidRequest, NotSupported, plugin_fault
from couriers.contract.text import make_storable
from couriers.models import CourierAccount, CourierCall, Shipment
from couriers.models.call import Outcome
from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.transactions import refuse_open_transaction


@contextmanager
def audited_call(
    account: CourierAccount, operation: str, shipment: Shipment | None = None
) -> Iterator[None]:
    """Store a CourierCall for the call inside the block.

    The block's error is raised again. An error that is no CourierError is stored as unknown. A
    request that was refused before the call leaves no row. Raises InsideTransaction if a
    transaction is open.
    """
    refuse_open_transaction(operation)
    call = CourierCall.objects.create(
        account=account, shipment=shipment, operation=operation, started_at=timezone.now()
    )
    try:
        yield
    except (InvalidRequest, NotSupported):
        call.delete()
        raise
    except CourierError as error:
        end_call(call, Outcome(error.outcome), error)
        raise
    except Exception as error:
        end_call(call, Outcome.UNKNOWN, plugin_fault(error, account.courier_id))
        raise
    else:
        end_call(call, Outcome.OK)


def end_call(call: CourierCall, outcome: Outcome, error: CourierError | None = None) -> None:
    """Store how a call ended, with the courier's own words."""
    CourierCall.objects.filter(pk=call.pk).update(
        outcome=outcome,
        finished_at=timezone.now(),
        http_status=error.http_status if error else None,
        code=make_storable(error.code if error else "")[:100],
        message=error_text(error) if error else "",
    )


def reason_text(error: CourierError) -> str:
    """Return the error's reason for the merchant, cut and made storable as by `error_text`."""
    return make_storable(error.reason)[:MAX_ERROR_TEXT]


def error_text(error: CourierError) -> str:
    """Return the error's text, cut to MAX_ERROR_TEXT, without what PostgreSQL cannot store.

    The text can hold words of the courier, which may be anything.
    """
    return make_storable(str(error))[:MAX_ERROR_TEXT]
