"""The steps by which a company starts to ship with a courier, as the data shows them.

No position is stored: each step is read from the rows that it is about. So the start can be left
and resumed, walked twice, and walked by two people.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.models import (
    AccountCheck,
    CallbackTally,
    CheckKind,
    CheckOutcome,
    Company,
    CourierAccount,
    Shipment,
    Warehouse,
    WarehouseRegistration,
)
from couriers.models.account import Rollout
from couriers.models.addresses import NoAddress
from couriers.models.fields import readable_or
from couriers.models.warehouse import RegistrationState
from couriers.operations.account_checks import about_callbacks, about_login
from couriers.operations.last_bookings import Refusals, refusals_of
from couriers.operations.rollouts import couriers_of
from couriers.operations.trials import trial_of
from couriers.operations.webhook_registration import ByHand, NoReceiver, is_by_hand, to_ask_for


class StepKey(enum.StrEnum):
    """The steps, in their order."""

    COMPANY = "company"
    ACCOUNT = "account"
    LOGIN = "login"
    WAREHOUSE = "warehouse"
    CALLBACKS = "callbacks"
    TEST_CALLBACK = "test_callback"
    TRIAL = "trial"
    LIVE = "live"


class StepState(enum.StrEnum):
    """Where a step is. WAITING ends by itself; TO_DO has what it needs, or waits for it."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    TO_DO = "todo"


@dataclass(frozen=True, slots=True)
class Step:
    """A step with what is known of it, in a sentence, and since when."""

    key: StepKey
    state: StepState
    text: str
    at: dt.datetime | None = None
    is_next: bool = False


TITLES = {
    StepKey.COMPANY: "Company",
    StepKey.ACCOUNT: "Account with the courier",
    StepKey.LOGIN: "Login tested at the courier",
    StepKey.WAREHOUSE: "Warehouse registered",
    StepKey.CALLBACKS: "Callbacks registered",
    StepKey.TEST_CALLBACK: "Test callback received",
    StepKey.TRIAL: "Test shipment",
    StepKey.LIVE: "Live",
}


def steps_of(company: Company | None, account: CourierAccount | None) -> list[Step]:
    """Return all steps. The first that is neither done nor under way is the next one.

    The account is one of the company's, with its names; None where none is chosen yet.
    """
    steps = [_company_step(company), _account_step(account)]
    if account is not None and is_usable(account):
        checks = {check.kind: check for check in AccountCheck.objects.filter(account=account)}
        warehouse = default_warehouse(account)
        known = WarehouseRegistration.objects.filter(account=account, warehouse=warehouse).first()
        tally = CallbackTally.objects.filter(account=account).first()
        steps += [
            login_step(account, checks.get(CheckKind.LOGIN)),
            warehouse_step(account, warehouse, known),
            callbacks_step(account, checks.get(CheckKind.CALLBACKS), tally),
            _test_callback_step(account, checks.get(CheckKind.TEST_CALLBACK), tally),
            _trial_step(account),
            _live_step(account),
        ]
    else:
        later = list(StepKey)[len(steps) :]
        steps += [Step(key, StepState.TO_DO, "After the steps before it.") for key in later]
    return _with_next(steps)


def is_usable(account: CourierAccount) -> bool:
    """Whether the plug-in of the account's courier is installed."""
    return account.courier_id in CourierFactory.codes()


def _with_next(steps: list[Step]) -> list[Step]:
    open_ones = [step for step in steps if step.state in (StepState.TO_DO, StepState.FAILED)]
    following = open_ones[0] if open_ones else None
    return [
        Step(one.key, one.state, one.text, one.at, is_next=True) if one is following else one
        for one in steps
    ]


def default_warehouse(account: CourierAccount) -> Warehouse | None:
    """Return the warehouse of the account's mode that is registered and booked from."""
    return Warehouse.objects.filter(
        company=account.company_id, is_test=account.is_test, is_default=True
    ).first()


def _company_step(company: Company | None) -> Step:
    if company is None:
        return Step(StepKey.COMPANY, StepState.TO_DO, "Add the company: name, GSTIN and address.")
    if not company.is_active:
        return Step(StepKey.COMPANY, StepState.FAILED, f"{company} is switched off: activate it.")
    return Step(StepKey.COMPANY, StepState.DONE, f"{company} exists.", company.created_at)


def _account_step(account: CourierAccount | None) -> Step:
    if account is None:
        text = "Add the company's account: its login with the courier."
        return Step(StepKey.ACCOUNT, StepState.TO_DO, text)
    if not is_usable(account):
        text = f"The plug-in of {account.courier} is not installed."
        return Step(StepKey.ACCOUNT, StepState.FAILED, text)
    text = f"The {account} exists, at {account.base_url}."
    return Step(StepKey.ACCOUNT, StepState.DONE, text, account.created_at)


def login_step(account: CourierAccount, check: AccountCheck | None) -> Step:
    """Return the step of the account's login, which was tried as `check` says."""
    key = StepKey.LOGIN
    if check is None:
        return Step(key, StepState.TO_DO, f"Ask {account.courier} whether it takes the login.")
    if check.about != about_login(account):
        text = "The login was changed since it was last tested: test it again."
        return Step(key, StepState.TO_DO, text, check.at)
    trial = trial_of(account) if check.outcome == CheckOutcome.NOT_OFFERED else None
    if trial is not None and trial.tracking_id:
        return Step(key, StepState.DONE, "The test shipment was booked with it.", trial.created_at)
    return Step(key, _state_of(check), check.said, check.at)


def _state_of(check: AccountCheck) -> StepState:
    if check.outcome == CheckOutcome.NOT_OFFERED:
        return StepState.WAITING
    return StepState.DONE if check.outcome == CheckOutcome.PASSED else StepState.FAILED


def warehouse_step(
    account: CourierAccount, warehouse: Warehouse | None, found: WarehouseRegistration | None
) -> Step:
    """Return the step of the default warehouse of the account's mode. `found` is how it is known
    to the courier.
    """
    key, courier = StepKey.WAREHOUSE, account.courier
    if warehouse is None:
        return Step(
            key, StepState.TO_DO, "Add the company's warehouse, where parcels are picked up."
        )
    adapter = CourierFactory.adapter_class(account.courier_id)
    if not adapter.registers_warehouses:
        text = f"{warehouse} exists. {courier} takes its whole address with each booking."
        return Step(key, StepState.DONE, text, warehouse.created_at)
    if found is None or found.address_hash != warehouse.as_pickup().address.fingerprint():
        return Step(key, StepState.TO_DO, f"Register {warehouse} at {courier}.")
    said = f": {found.reason}" if found.reason else ""
    text = {
        RegistrationState.SYNCED: f"{courier} knows {warehouse} as {found.reference}.",
        RegistrationState.FAILED: f"{courier} refuses {warehouse}{said}",
        RegistrationState.IN_DOUBT: f"Whether {courier} has {warehouse} is not known{said} "
        "Look in its panel, and give its reference.",
        RegistrationState.PENDING: f"{courier} could not be asked about {warehouse}{said}",
    }[RegistrationState(found.state)]
    is_done = found.state == RegistrationState.SYNCED
    return Step(key, StepState.DONE if is_done else StepState.FAILED, text, found.updated_at)


def callbacks_step(
    account: CourierAccount, check: AccountCheck | None, tally: CallbackTally | None
) -> Step:
    """Return the step of the account's callbacks, of which `tally` has come."""
    key, courier = StepKey.CALLBACKS, account.courier
    try:
        asked = to_ask_for(account)
    except NoReceiver:
        text = f"{courier} sends no callbacks: shipments are tracked by asking it."
        return Step(key, StepState.DONE, text)
    except (NoAddress, UnreadableValue) as error:
        return Step(key, StepState.FAILED, str(error))
    if is_by_hand(account):
        if tally and tally.accepted_at:
            return Step(key, StepState.DONE, f"{courier} sends callbacks.", tally.accepted_at)
        return _ask_for_callbacks(account, asked)
    if check is None:
        return Step(key, StepState.TO_DO, f"Tell {courier} where to send callbacks.")
    if check.about != about_callbacks(account):
        text = "The address or the secret changed since: register them again."
        return Step(key, StepState.TO_DO, text, check.at)
    return Step(key, _state_of(check), check.said, check.at)


def _ask_for_callbacks(account: CourierAccount, asked: list[ByHand]) -> Step:
    """Return the step of an account whose courier a person asks for its callbacks."""
    key, courier = StepKey.CALLBACKS, account.courier
    if not account.webhook_secret:
        text = f"Make a webhook secret. {courier} has no call for callbacks: ask {courier} for them"
        return Step(key, StepState.TO_DO, f"{text}, with the secret that is shown then.")
    urls = " and ".join(one.url for one in asked)
    header = next((one.header for one in asked if one.header), "")
    how = (
        f"the header {header}, whose value is the webhook secret"
        if header
        else "the webhook secret as its secret"
    )
    text = (
        f"{courier} has no call for it. Ask {courier} to send the callbacks of tracking to {urls} "
        f"with {how}. Nobody can read the stored one: if it was not kept, make a new one. Until "
        "the first callback comes, shipments are tracked by asking."
    )
    return Step(key, StepState.WAITING, text)


def _test_callback_step(
    account: CourierAccount, check: AccountCheck | None, tally: CallbackTally | None
) -> Step:
    key = StepKey.TEST_CALLBACK
    if CourierFactory.receiver(account.courier_id) is None:
        return Step(key, StepState.DONE, "Not needed: the courier sends no callbacks.")
    if tally and tally.accepted_at and not tally.is_refused:
        text = f"{account.courier} itself has sent a callback, which was taken."
        return Step(key, StepState.DONE, text, tally.accepted_at)
    if not readable_or(account, "webhook_secret", ""):
        return Step(key, StepState.TO_DO, "After the callbacks are registered.")
    if check is None or check.about != about_callbacks(account):
        text = "Send the inbox a callback, signed as the courier signs."
        return Step(key, StepState.TO_DO, text)
    return Step(key, _state_of(check), check.said, check.at)


def _trial_step(account: CourierAccount) -> Step:
    key = StepKey.TRIAL
    shipment = trial_of(account)
    if shipment is None:
        return Step(key, StepState.TO_DO, "Book a shipment of the company to itself.")
    state, text = _trial_state(shipment)
    at = shipment.status_at or shipment.booked_at or shipment.created_at
    return Step(key, state, text, at)


def _trial_state(shipment: Shipment) -> tuple[StepState, str]:
    number, status = shipment.order_number, shipment.get_status_display().lower()
    match Status(shipment.status):
        case Status.DELIVERED | Status.CANCELLED | Status.RTO_DELIVERED:
            return StepState.DONE, f"{number} is {status}."
        case Status.FAILED:
            return StepState.FAILED, f"{number} was not booked: {shipment.failure or 'no reason'}"
        case Status.IN_DOUBT | Status.BOOKING:
            return StepState.WAITING, f"Nobody can tell yet whether {number} is booked."
    return StepState.WAITING, f"{number} is booked as {shipment.tracking_id}, and {status}."


def _live_step(account: CourierAccount) -> Step:
    found = {one.account.pk: one for one in couriers_of(account.company)}.get(account.pk)
    obstacles = list(found.obstacles) if found else ["the account is gone"]
    if obstacles:
        why = " and ".join(obstacles)
        return Step(StepKey.LIVE, StepState.TO_DO, f"The company may not book yet: {why}.")
    if refused := refusals_of(account.company).get(account.pk):
        text = refused_bookings(account, refused)
        return Step(StepKey.LIVE, StepState.FAILED, text, refused.at)
    share = (
        f" {account.canary_percent} per cent of its orders"
        if account.rollout == Rollout.CANARY
        else ""
    )
    return Step(StepKey.LIVE, StepState.DONE, f"The company may book{share}.")


def refused_bookings(account: CourierAccount, refused: Refusals) -> str:
    """Say that the last bookings had no parcel, with the plug-in's words of the newest."""
    text = f"The last {refused.count} bookings with {account.courier} had no parcel"
    reason = refused.reason.rstrip(".")
    return f"{text}. The newest ended with: {reason}." if reason else f"{text}."
