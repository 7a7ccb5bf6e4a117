"""Refuses to call a courier while a transaction is open.

What is written before a call must be committed before it. Otherwise a rollback or a crash loses the
record of a shipment that the courier has booked, and the order is booked twice.
"""

from __future__ import annotations

from django.db import transaction


class InsideTransaction(RuntimeError):
    """A function that calls a courier was called inside a transaction. Nothing was done."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} was called inside a database transaction. What it writes must be committed "
            "before the courier is called, or a rollback loses the record of a call that was made. "
            "Call it outside transaction.atomic(), for example with transaction.on_commit(), and "
            "mark a view that calls it with transaction.non_atomic_requests if ATOMIC_REQUESTS is "
            "set."
        )


def refuse_open_transaction(what: str) -> None:
    """Raise InsideTransaction if a transaction is open; `what` names the function in the message.

    The transaction that django.test.TestCase opens around each test does not count, as for
    `transaction.atomic(durable=True)`.
    """
    connection = transaction.get_connection()
    if connection.in_atomic_block:
        try:
            # Without a savepoint this makes no statement.
            with transaction.atomic(durable=True, savepoint=False):
                pass
        except RuntimeError:
            raise InsideTransaction(what) from None
    elif not connection.get_autocommit():
        raise InsideTransaction(what)
