"""The audit of calls that change something: written before the call, ended after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from couriers.contract.errors import CourierError, InvalidRequest, NotSupported
from couriers.contract.text import storable
from couriers.models import CourierAccount, CourierCall, Shipment
from couriers.models.call import Outcome


@contextmanager
def recorded(
    account: CourierAccount, operation: str, shipment: Shipment | None = None
) -> Iterator[None]:
    """Keep a CourierCall of what is done inside. Must not be entered in a transaction.

    Whatever is raised inside is raised on; what is no CourierError counts as unknown. What was
    refused before any call leaves no record, for there was none.
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
        end(call, Outcome(error.outcome), error)
        raise
    except Exception as error:
        end(call, Outcome.UNKNOWN, CourierError(f"{type(error).__name__} in the plug-in"))
        raise
    else:
        end(call, Outcome.OK)


def end(call: CourierCall, outcome: Outcome, error: CourierError | None = None) -> None:
    """Write down how a call ended, in the courier's own words."""
    CourierCall.objects.filter(pk=call.pk).update(
        outcome=outcome,
        finished_at=timezone.now(),
        http_status=error.http_status if error else None,
        code=storable(error.code if error else "")[:100],
        message=words_of(error)[:1000] if error else "",
    )


def words_of(error: CourierError) -> str:
    """What an error says, as PostgreSQL can store it: the courier may have written anything."""
    return storable(str(error))
