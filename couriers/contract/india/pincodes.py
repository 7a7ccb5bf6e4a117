"""Pincodes: their form, and the cities and states that they lie in.

The public directory lacks about 1 % of the pincodes, and a few of its rows name a wrong state.
Where it contradicts the sorting district, the state of the sorting district is taken.
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass

import indian_pincode

from couriers.contract.india.remarks import Remark
from couriers.contract.india.sorting_districts import (
    ARMY_POST,
    are_mixed_up,
    crossing_states,
    states_by_prefix,
)
from couriers.contract.india.states import state_name
from couriers.contract.text import compact

_PINCODE = re.compile(r"[1-9][0-9]{5}")


@dataclass(frozen=True, slots=True)
class Place:
    """The city and state of a pincode. In the public directory the city is the postal district."""

    city: str
    state: str


class PincodeKind(enum.Enum):
    """How much is known of a pincode from its digits and from the directory."""

    LISTED = "listed"  # it is in the directory
    UNLISTED = "unlisted"  # it is not, but its prefix is that of a state
    UNASSIGNED = "unassigned"  # it is not, and no state has its prefix
    ARMY = "army"  # an army post office, which lies in no state


def clean_pincode(text: str) -> str:
    """Return the text without blanks and invisible marks, with its digits in ASCII."""
    return compact(text)


def is_pincode(text: str) -> bool:
    """Whether the text has the form of a pincode: six ASCII digits, the first not 0."""
    return bool(_PINCODE.fullmatch(text))


def pincode_problem(text: str) -> str | None:
    """Return what is wrong with the form of a pincode, or None."""
    if not text.strip():
        return "is missing"
    return None if is_pincode(text) else "is not a six-digit pincode"


def pincode_kind(pincode: str) -> PincodeKind:
    """Return what is known of a pincode. It must have the form of one."""
    if pincode.startswith(ARMY_POST):
        return PincodeKind.ARMY
    if indian_pincode.validate(pincode):
        return PincodeKind.LISTED
    return PincodeKind.UNLISTED if states_by_prefix(pincode) else PincodeKind.UNASSIGNED


def states_of(pincode: str) -> tuple[str, ...]:
    """Return the sorted states that a pincode lies in, one for most of them.

    () for an army post office, and where neither the directory nor the prefix names a state.
    """
    if not is_pincode(pincode) or pincode.startswith(ARMY_POST):
        return ()
    if crossing := crossing_states(pincode):
        return crossing
    by_prefix = states_by_prefix(pincode)
    listed = _listed_states(pincode)
    both = tuple(sorted(set(by_prefix) & set(listed)))
    return both or by_prefix or listed


def place_of(pincode: str, state: str = "") -> Place | None:
    """Return the city and state of a pincode from one row of the directory, or None.

    `state` chooses the row where the pincode lies in several states. None for a pincode that the
    directory lacks, for one that lies in several states where none of them is chosen, and where
    the directory names another state than the sorting district.
    """
    states = states_of(pincode)
    if len(states) > 1:
        states = tuple(name for name in states if name == state)
    if len(states) != 1:
        return None
    rows = indian_pincode.get_details(pincode)
    districts = rows["districts"] if rows else []
    of_state = [district for district in districts if district in _districts(states[0])]
    return Place(city=of_state[0].title(), state=states[0]) if of_state else None


def state_contradiction(pincode: str, state: str) -> str | None:
    """Return why an address with this state cannot have this pincode, or None.

    `state` is an official name. States that people mix up are no contradiction, nor is a state that
    the directory alone names: `place_remark` remarks on both.
    """
    states = states_of(pincode)
    if not states or state in states or _is_likely(pincode, state, states):
        return None
    return f"is {state}, but the pincode lies in {' and in '.join(states)}"


def place_remark(pincode: str, state: str) -> Remark | None:
    """Return a remark where the state is likely, but not surely, another one than written."""
    states = states_of(pincode)
    if not states or state in states or not _is_likely(pincode, state, states):
        return None
    return Remark(
        "state_differs",
        f"is {state}, but the pincode lies in {' and in '.join(states)}:"
        f" the tax is that of {state}",
    )


def _is_likely(pincode: str, state: str, states: tuple[str, ...]) -> bool:
    return state in _listed_states(pincode) or any(
        are_mixed_up(pincode, state, other) for other in states
    )


def _listed_states(pincode: str) -> tuple[str, ...]:
    """Return the states that the directory names for a pincode; () for about 80 of its rows."""
    rows = indian_pincode.get_details(pincode)
    return tuple(state_name(name) or name.title() for name in rows["states"]) if rows else ()


@functools.cache
def _districts(state: str) -> frozenset[str]:
    """Return the directory's names of a state's districts."""
    return frozenset(
        district
        for name in indian_pincode.list_states()
        if state_name(name) == state
        for district in indian_pincode.list_districts(name)
    )
