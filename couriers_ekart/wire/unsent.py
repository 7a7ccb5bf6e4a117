"""Steps before a call: however they fail, the call itself was not sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from couriers.contract.errors import NotDone, NotSent, Rejected, Unknown

log = structlog.get_logger(__name__)


@contextmanager
def before_sending(operation: str, what: str) -> Iterator[None]:
    """Do inside what the call `operation` needs first; `what` says that it failed.

    A step that surely was not done, or was refused, raises so. One with an unknown end, or that
    fails for whatever else (PostgreSQL is away), raises NotSent: it may be done again.
    """
    try:
        yield
    except (NotSent, NotDone, Rejected):
        raise
    except Unknown as error:
        raise NotSent(
            f"{what} ({error.message})",
            courier="ekart",
            operation=operation,
            retry_after=error.retry_after,
        ) from None
    except Exception as error:
        log.exception("failed_before_sending", operation=operation)
        raise NotSent(
            f"{what} ({type(error).__name__})", courier="ekart", operation=operation
        ) from error
