"""Writes the audit of calls: a row before the call, its outcome afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from couriers.contract.errors import CourierError, InvalidRequest, NotSupported
from couriers.contract.text import storable
from couriers.models import CourierAccount, CourierCall, Shipment
from couriers.models.call import Outcome


@contextmanager
def audited_call(
    account: CourierAccount, operation: str, shipment: Shipment | None = None
) -> Iterator[None]:
    """Store a CourierCall of the call inside the block. Do not enter it in a transaction.

    The block's error is raised again; an error that is no CourierError is stored as unknown. A
    request that was refused before any call leaves no row, because no call was made.
    """
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
        end_call(call, Outcome.UNKNOWN, CourierError(f"{type(error).__name__} in the plug-in"))
        raise
    else:
        end_call(call, Outcome.OK)


def end_call(call: CourierCall, outcome: Outcome, error: CourierError | None = None) -> None:
    """Store how a call ended, with the courier's own words."""
    CourierCall.objects.filter(pk=call.pk).update(
        outcome=outcome,
        finished_at=timezone.now(),
        http_status=error.http_status if error else None,
        code=storable(error.code if error else "")[:100],
        message=error_text(error)[:1000] if error else "",
    )


def error_text(error: CourierError) -> str:
    """Return an error's text as PostgreSQL can store it: the courier may have sent anything."""
    return storable(str(error))
