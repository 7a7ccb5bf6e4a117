"""Run the steps before a call so that their failures say that the call was not sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from couriers.contract.errors import NotDone, NotSent, Rejected, Unknown
from couriers.contract.logs import get_logger

log = get_logger(__name__)


@contextmanager
def before_sending(courier: str, operation: str, message: str) -> Iterator[None]:
    """Wrap a call's preparation: unknown failures inside become NotSent, as the call never left.

    `operation` is the call that follows, `message` says what failed. NotSent, NotDone and Rejected
    pass through. Unknown, and every error that is not a CourierError (PostgreSQL is away, say),
    raise NotSent.
    """
    try:
        yield
    except (NotSent, NotDone, Rejected):
        raise
    except Unknown as error:
        raise NotSent(
            f"{message} ({error.message})",
            courier=courier,
            operation=operation,
            retry_after=error.retry_after,
        ) from None
    except Exception as error:
        log.exception("call_preparation_failed", courier=courier, operation=operation)
        raise NotSent(message, courier=courier, operation=operation) from error
