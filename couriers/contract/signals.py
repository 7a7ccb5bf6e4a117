"""Django signals about shipments, for the project that these apps are installed in.

Each signal is sent once for each change, after the transaction that made the change is committed.
A change that is rolled back and an event that was known already send nothing. Delivery is at most
once: a signal is lost with a process that is killed after the commit, and with a database that
commits and does not say so, and nothing sends it again. What must not be lost has to be read from
the tables as well.

A receiver runs in the process and thread that made the change, and the caller waits for it. Its
exception is logged and goes no further: the other receivers are called, and the change stands.
The sender is `couriers.models.Shipment`. The facts are keyword arguments: ids, numbers and texts.
A receiver that needs more loads the row by `shipment_id`, which may have changed again since.
The signals of one process come in the order of its commits; those of two processes have no order.

Facts of every signal:

    shipment_id    str  the shipment's id (`shp_…`)
    company_id     int  the primary key of its Company
    order_number   str  the merchant's number of the order
    courier        str  the code of the courier
    direction      str  "forward" or "reverse"
    tracking_id    str  the courier's id of the parcel, "" before it is booked

Further facts of each signal are listed beside it below.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from couriers.contract.logs import get_logger

log = get_logger(__name__)


class DiscreetSignal(Signal):
    """A signal that logs a receiver's exception by its class alone.

    The text of an exception may hold what the receiver read, such as a consignee's address.
    """

    def __init__(self) -> None:
        super().__init__(use_caching=True)

    def _log_robust_failure(self, receiver: Callable[..., Any], err: Exception) -> None:
        """Log the failure in the place of Django, which would log the exception's text."""
        name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
        module = getattr(receiver, "__module__", "")
        log.error("receiver_failed", receiver=f"{module}.{name}", error=type(err).__name__)


class ShipmentSignal(DiscreetSignal):
    """A signal about a shipment. It has the facts of every signal."""


class SettledAs(enum.StrEnum):
    """How a doubt ended."""

    BOOKED = "booked"
    NOT_BOOKED = "not_booked"


class SettledBy(enum.StrEnum):
    """What said how a booking ended."""

    ANSWER = "answer"  # the courier's answer to the create call, which may have come late
    CALLBACK = "callback"  # the courier's event that the shipment exists
    SEARCH = "search"  # the courier's answer to a search for the order
    OPERATOR = "operator"  # a decision of an operator


class ActionOutcome(enum.StrEnum):
    """How the call of an action ended. All but the first two are the classes of contract/errors."""

    DONE = "done"
    ACCEPTED = "accepted"  # the courier will do it later; another signal says how it ended
    NOT_SENT = "not_sent"
    NOT_DONE = "not_done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


# The courier has the shipment, which now has a tracking id. Also sent where a booking that had
# failed turns out to be booked.
#   waybill  str  the number on the label, "" where the courier gave none
#   by       str  a value of SettledBy
shipment_booked = ShipmentSignal()

# A booking in doubt was settled. Also sent where a booking that had failed, and was perhaps settled
# as not booked before, turns out to be booked.
#   outcome  str  a value of SettledAs
#   by       str  a value of SettledBy
shipment_settled = ShipmentSignal()

# The status changed, also by a booking that ended. The first status, "booking", is not announced.
# Two changes in one transaction are two signals, in their order.
#   status, previous_status  str  values of couriers.contract.statuses.Status
shipment_status_changed = ShipmentSignal()

# An operator corrected the tracking id that an operator had given to the shipment.
#   wrong_tracking_id  str  the id before, which is another parcel's
shipment_tracking_id_corrected = ShipmentSignal()

# The call of an action has ended, and what followed is stored. Sent again when an accepted action
# ends. An action that was refused before any call (by the courier's rules, by a field, or because
# the courier has no such operation) sends nothing.
#   kind     str  the operation, a value of couriers.contract.adapter.Capability
#   outcome  str  a value of ActionOutcome
#   handle   str  the courier's reference to an accepted action, else ""
shipment_action_ended = ShipmentSignal()

# A flag was raised: an operator must look at the shipment. A flag that is open already sends
# nothing when it is raised again.
#   flag_id             int  the primary key of the ShipmentFlag
#   kind                str  a value of couriers.models.FlagKind
#   other_tracking_id   str  the other tracking id of the problem, or ""
#   other_order_number  str  the order number that the courier named, or ""
#   other_courier       str  the courier of the problem where it is another one, or ""
shipment_flagged = ShipmentSignal()


# A call to a courier has ended. It is about an account and not about a shipment, so it has none of
# the facts above, and its sender is `couriers.contract.accounts.Account`. Sent at once, whether or
# not a transaction is open.
#   courier    str    the code of the courier
#   operation  str    the plug-in's name of the operation
#   outcome    str    "ok", or a class of couriers.contract.errors as in ActionOutcome
#   status     int    the HTTP status, 0 where no answer came
#   seconds    float  how long it took
courier_called = DiscreetSignal()


def announce(signal: Signal, sender: type, **facts: Any) -> None:
    """Send the signal once the transaction is committed; at once where there is none.

    Does nothing if the signal has no receiver.
    """
    if not signal.has_listeners(sender):
        return

    def send() -> None:
        signal.send_robust(sender, **facts)

    transaction.on_commit(send, robust=True)
