"""What the buttons of the guided start do, each with the sentence that tells how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from couriers.admin.companies.account_pages import CHANGE_ACCOUNT
from couriers.contract.errors import CourierError, InvalidRequest
from couriers.contract.platform_errors import PlatformError
from couriers.contract.statuses import Status
from couriers.fulfilment.actions import cancel, refresh_tracking
from couriers.models import AccountCheck, CheckOutcome, CourierAccount, Shipment
from couriers.models.asked import Asker
from couriers.operations import rollouts
from couriers.operations.account_checks import check_login, send_test_callback
from couriers.operations.decisions import record_decision
from couriers.operations.start_actions import (
    forget_refusal,
    open_bookings,
    register_warehouse,
    start_callbacks,
)
from couriers.operations.switches import DecidedBefore
from couriers.operations.trials import book_trial, is_test_account, trial_of
from couriers.resilience.lock import LockTimeout

Said = tuple[str, int]  # a sentence, and the level of the message that shows it


def carry_out(do: str, request: HttpRequest, account: CourierAccount) -> Said:
    """Do what a button says. What goes wrong is said, too, and never raised.

    The audit log has what was done and what was said; the trial and the switch write their own.
    """
    said = _done(do, request, account)
    if do not in (TRIAL, LIVE):
        details = {"account": account.pk, "said": said[0]}
        record_decision(account, _user(request), f"start_{do}", "Guided start", details)
    return said


def _done(do: str, request: HttpRequest, account: CourierAccount) -> Said:
    try:
        return DO[do](request, account)
    except InvalidRequest as error:
        text = "; ".join(problem.message for problem in error.problems)
        return f"Nothing was done: {text}.", messages.ERROR
    except CourierError as error:
        return f"{account.courier} said: {error.reason}.", messages.ERROR
    except (PlatformError, DecidedBefore) as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}.", messages.WARNING
    except LockTimeout:
        return "Somebody else is doing this just now. Look again in a minute.", messages.WARNING


def _of_check(check: AccountCheck) -> Said:
    levels = {CheckOutcome.PASSED: messages.SUCCESS, CheckOutcome.NOT_OFFERED: messages.WARNING}
    return check.said, levels.get(CheckOutcome(check.outcome), messages.ERROR)


def _login(request: HttpRequest, account: CourierAccount) -> Said:
    return _of_check(check_login(account, _user(request)))


def _warehouse(request: HttpRequest, account: CourierAccount) -> Said:
    forget_refusal(account)
    reference = register_warehouse(account)
    if not reference:
        return f"{account.courier} refuses the warehouse. Why is said below.", messages.ERROR
    return f"{account.courier} knows the warehouse as {reference}.", messages.SUCCESS


def _callbacks(request: HttpRequest, account: CourierAccount) -> Said:
    return _of_check(start_callbacks(account, _user(request)))


def _test_callback(request: HttpRequest, account: CourierAccount) -> Said:
    return _of_check(send_test_callback(account, _user(request)))


def _trial(request: HttpRequest, account: CourierAccount) -> Said:
    user, words = _user(request), request.POST.get("confirmation", "")
    earlier = trial_of(account)
    shipment = book_trial(account, actor=user, confirmation=words)
    if earlier and earlier.pk == shipment.pk and earlier.status != Status.FAILED:
        text = f"{shipment.order_number} was booked before. Nothing more was booked."
        return text, messages.WARNING
    if shipment.status == Status.IN_DOUBT:
        text = f"The courier's answer is missing: {shipment.order_number} is in doubt."
        return text, messages.WARNING
    if not is_test_account(account):
        return _cancel_at_once(shipment, user)
    text = f"{shipment.order_number} is booked as {shipment.tracking_id}."
    return text, messages.SUCCESS


def _cancel_at_once(shipment: Shipment, user: Any) -> Said:
    """Cancel a real shipment right after it was booked."""
    booked = f"{shipment.order_number} is booked as {shipment.tracking_id}"
    try:
        cancel(shipment, by=Asker(user=user))
    except (CourierError, PlatformError) as error:
        text = f"{booked}, and was NOT cancelled: {error}. Cancel it on its own page."
        return text, messages.ERROR
    return f"{booked}, and its cancellation is asked for.", messages.SUCCESS


def _track(request: HttpRequest, account: CourierAccount) -> Said:
    shipment = trial_of(account)
    if shipment is None:
        return "There is no test shipment.", messages.WARNING
    shipment = refresh_tracking(shipment)
    status = shipment.get_status_display().lower()
    return f"{shipment.order_number} is {status}.", messages.SUCCESS


def _live(request: HttpRequest, account: CourierAccount) -> Said:
    reason = request.POST.get("reason", "")
    if open_bookings(account, actor=_user(request), reason=reason):
        text = f"{account.company} may book with {account.courier} from now on."
        return text, messages.SUCCESS
    return f"{account.company} may book already. Nothing was changed.", messages.WARNING


def _user(request: HttpRequest) -> Any:
    assert request.user.is_authenticated
    return request.user


TRIAL, LIVE = "trial", "live"
DO: dict[str, Callable[[HttpRequest, CourierAccount], Said]] = {
    "login": _login,
    "warehouse": _warehouse,
    "callbacks": _callbacks,
    "test_callback": _test_callback,
    TRIAL: _trial,
    "track": _track,
    LIVE: _live,
}
PERMISSIONS = dict.fromkeys(DO, CHANGE_ACCOUNT) | {LIVE: rollouts.PERMISSION}
