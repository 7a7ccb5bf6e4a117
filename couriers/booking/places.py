"""Completes the consignee's city and state, and checks pincodes that the public directory lacks.

City and state come from one row: of the public directory, else of the courier's answer. The courier
is asked only for what the directory does not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from couriers.contract import india
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import CourierError, InvalidRequest, NotFound
from couriers.contract.field_problems import FieldProblems
from couriers.contract.types import Address, FieldWarning, Serviceability
from couriers.models import CourierAccount
from couriers.rates.serviceability import ask, stored_answer

_NO_ANSWER = {
    india.PincodeKind.UNLISTED: india.Remark(
        "pincode_unlisted", "is in no directory of pincodes, and the courier could not be asked"
    ),
    india.PincodeKind.ARMY: india.Remark(
        "pincode_of_army_post", "is of an army post office, which few couriers reach"
    ),
}


@dataclass(frozen=True, slots=True)
class CompletePlace:
    """An address with city and state, and what is likely wrong with it."""

    address: Address
    warnings: tuple[FieldWarning, ...]


def complete_place(
    account: CourierAccount, adapter: BaseCourierAdapter, consignee: Address, origin: str
) -> CompletePlace:
    """Fill a blank city or state, and check that somebody knows the pincode.

    `origin` is the warehouse's pincode, for couriers that are asked about lanes. Raises
    InvalidRequest for a pincode that neither the directory nor the courier knows, for a blank state
    of a pincode in several states, and for a field that cannot be found.
    """
    ask_about = partial(_ask, account, adapter, origin)
    problems = FieldProblems()
    kind = india.pincode_kind(consignee.pincode)
    asked: Serviceability | None = None
    if kind is not india.PincodeKind.LISTED:
        asked = ask_about(consignee)
        _check_unlisted(kind, asked, adapter, problems)
    if not problems and not (consignee.city and consignee.state):
        consignee = _fill(consignee, india.place_of(consignee.pincode, consignee.state))
        consignee = _fill_from_courier(ask_about, consignee, asked)
        _require_place(consignee, problems)
    if problems:
        raise InvalidRequest(problems, courier=adapter.code)
    return CompletePlace(consignee, tuple(problems.warnings))


def _check_unlisted(
    kind: india.PincodeKind,
    answer: Serviceability | None,
    adapter: BaseCourierAdapter,
    problems: FieldProblems,
) -> None:
    """Judge a pincode outside the directory by the courier's answer, None where there is none."""
    field = "consignee.pincode"
    if answer is None:
        problems.warn(field, _NO_ANSWER.get(kind))
        if kind is india.PincodeKind.UNASSIGNED:
            problems.refuse(field, "is no pincode: no state has its first three digits")
    elif not answer.serviceable:
        problems.refuse(field, f"is in no directory of pincodes, and {adapter.name} lacks it, too")


def _fill_from_courier(
    ask_about: Callable[[Address], Serviceability | None],
    consignee: Address,
    asked: Serviceability | None,
) -> Address:
    """Fill what is still blank from the courier's answer, then the state from the prefix.

    A pincode that lies in several states is not asked about: the courier knows one of them only.
    """
    states = india.states_of(consignee.pincode)
    if len(states) > 1 and not consignee.state:
        return consignee
    if not (consignee.city and consignee.state):
        answer = asked or ask_about(consignee)
        consignee = _fill(consignee, _place_in(answer, states))
    if not consignee.state and len(states) == 1:
        consignee = dataclasses.replace(consignee, state=states[0])
    return consignee


def _place_in(answer: Serviceability | None, states: tuple[str, ...]) -> india.Place | None:
    """Return the answer's city and state, unless the pincode cannot lie in that state."""
    if answer is None:
        return None
    state = india.state_name(answer.state) or ""
    if state and states and state not in states:
        return None
    return india.Place(answer.city, state)


def _fill(consignee: Address, place: india.Place | None) -> Address:
    if place is None:
        return consignee
    return dataclasses.replace(
        consignee, city=consignee.city or place.city, state=consignee.state or place.state
    )


def _require_place(consignee: Address, problems: FieldProblems) -> None:
    states = india.states_of(consignee.pincode)
    if not consignee.state and len(states) > 1:
        # It decides the tax, so it is not guessed.
        problems.refuse(
            "consignee.state",
            f"is missing: the pincode lies in {' and in '.join(states)}, so give one of them",
        )
        return
    for field in ("city", "state"):
        problems.require(
            bool(getattr(consignee, field)),
            f"consignee.{field}",
            "is missing, and cannot be found from the pincode",
        )


def _ask(
    account: CourierAccount, adapter: BaseCourierAdapter, origin: str, consignee: Address
) -> Serviceability | None:
    """Return what the courier knows of a pincode, or None if it does not answer.

    The loaded list answers unless a city or state is needed that it does not name.
    """
    pincode = consignee.pincode
    stored = stored_answer(account.courier_id, pincode)
    is_enough = stored and (consignee.city or stored.city) and (consignee.state or stored.state)
    if is_enough or not adapter.supports(Capability.CHECK_SERVICEABILITY):
        return stored
    try:
        return ask(adapter, pincode, origin)
    except NotFound:
        return Serviceability(pincode, serviceable=False)
    except CourierError:
        # An outage is no answer, so it refuses nothing.
        return stored
