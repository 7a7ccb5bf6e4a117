"""The couriers of chaos runs: their stand-ins, logins and faults, and who settles their doubts."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from couriers.testing.faults import FaultKind
from couriers.testing.toy.sandbox import FORMS, KEY
from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN
from tests.chaos.storefront import HEAVY_G

FAULT_RATE = 0.1
Fault = tuple[str, str, float]  # operation, kind and rate


class Operator(enum.StrEnum):
    """The doubts of a courier that an operator settles, because the platform cannot."""

    ALL = "all"  # what no callback settles in time
    ABSENCES = "absences"  # the courier's list shows what it has, and not surely what it has not
    NOBODY = "nobody"


class Callbacks(enum.StrEnum):
    """How a courier learns the address of its callbacks."""

    REGISTERED = "registered"  # by the platform's command
    TOLD = "told"  # by a person; the stand-in's page /_sandbox/callback
    NONE = "none"  # it sends none


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosCourier:
    """A courier, and what a run needs to know of its stand-in.

    `create` is the stand-in's name of the create call. `known_outcome` are the endings of the
    faults after which a client knows whether its call was carried out.
    """

    code: str
    stand_in: Sequence[str]
    module: str = "sandbox"
    login: Mapping[str, str]
    limits: Sequence[str]
    faults: Sequence[Fault]
    create: str
    known_outcome: tuple[str, ...]
    callbacks: Callbacks
    operator: Operator

    def sandbox(self, seed: int) -> SandboxProcess:
        """Return the stand-in, which runs inside a `with` block."""
        return SandboxProcess(*self.stand_in, "--seed", str(seed), module=self.module)


def _spread(operation: str, kinds: Sequence[str]) -> list[Fault]:
    """Return faults that let FAULT_RATE of the calls fail, as often in each of these ways."""
    return [(operation, kind, FAULT_RATE / len(kinds)) for kind in kinds]


AUTH_FAULTS = ("timeout_before", "reset_before", "error_before", "broken_before", "slow")
EKART = ChaosCourier(
    code="ekart",
    stand_in=("ekart", "--hold"),
    login=SANDBOX_LOGIN,
    limits=("create_shipment=5000/1s", "get_token=1000/1s", "add_address=1000/1s"),
    faults=(
        ("create_shipment", "*", FAULT_RATE),
        ("add_address", "*", FAULT_RATE),
        *_spread("auth", AUTH_FAULTS),
    ),
    create="create_shipment",
    known_outcome=("rate_limited", "unauthorized", "slow"),
    callbacks=Callbacks.REGISTERED,
    operator=Operator.ALL,
)
LOSSES = tuple(
    f"{loss}_{when}"
    for loss in ("timeout", "reset", "error", "broken")
    for when in ("before", "after")
)
# Each of its ambiguous answers stands for work that was done, or was not.
AMBIGUOUS = tuple(
    f"{answer}_{when}"
    for answer in (
        "partial_save", "might_be_saved", "duplicate_order", "duplicate_waybill",
        "other_environment",
    )
    for when in ("before", "after")
)  # fmt: skip
READ_FAULTS = (*LOSSES, "rate_limited", "slow")
DELHIVERY = ChaosCourier(
    code="delhivery",
    stand_in=(
        "delhivery", "--hold", "--switch", "not_picked_at_once=false", "--switch", "search_lag=1",
    ),
    login={"DELHIVERY_API_TOKEN": "sandbox", "DELHIVERY_CLIENT_NAME": "SANDBOX SURFACE"},
    limits=(
        "create_shipment=5000/1s", "track=1000/1s", "pincodes=1000/1s", "create_warehouse=1000/1s",
        "fetch_numbers=100/1s",
    ),
    faults=(
        *_spread("create_shipment", (*LOSSES, *AMBIGUOUS, "firewall", "rate_limited", "slow")),
        *_spread("track", READ_FAULTS),
        *_spread("bulk_waybills", READ_FAULTS),
        *_spread("create_warehouse", READ_FAULTS),
    ),
    create="create_shipment",
    known_outcome=("rate_limited", "firewall", "slow"),
    callbacks=Callbacks.TOLD,
    operator=Operator.NOBODY,
)  # fmt: skip
VELOCITY = ChaosCourier(
    code="velocity",
    stand_in=("velocity", "--hold", "--switch", "search_lag=1"),
    login={"VELOCITY_API_KEY": "sandbox"},
    limits=(
        "create_shipment=5000/1s", "find_shipment=1000/1s", "serviceability=1000/1s",
        "add_warehouse=1000/1s",
    ),
    faults=(
        *_spread(
            "create_shipment",
            (
                *LOSSES, "gateway_timeout_before", "gateway_timeout_after", "internal_error_after",
                "rate_limited", "slow",
            ),
        ),
        *_spread("find_shipment", (*READ_FAULTS, "gateway_timeout_before")),
    ),
    create="create_shipment",
    known_outcome=("rate_limited", "slow"),
    callbacks=Callbacks.TOLD,
    operator=Operator.ABSENCES,
)  # fmt: skip
# An echo is a refusal, after which a storefront would not send the order again.
TOY_FAULTS = [kind for kind in FaultKind if kind is not FaultKind.ECHO]


def _toy(form: str) -> ChaosCourier:
    """The toy courier in one of its forms.

    With a search or reserved numbers it sends no callbacks: the platform has to ask.
    """
    operations = {"search": ("book", "find"), "reservation": ("book", "reserve")}
    code = f"toy_{form}"
    return ChaosCourier(
        code=code,
        stand_in=(form,),
        module="couriers.testing.toy.sandbox",
        login={f"{code}_api_key".upper(): KEY},
        limits=("book=5000/1s", "find=5000/1s", "reserve=5000/1s"),
        faults=[
            fault
            for operation in operations.get(form, ("book",))
            for fault in _spread(operation, TOY_FAULTS)
        ],
        create="book",
        known_outcome=("rate_limited",),
        callbacks=Callbacks.TOLD if form == "neither" else Callbacks.NONE,
        operator=Operator.ALL if form == "neither" else Operator.NOBODY,
    )


REAL = {one.code: one for one in (EKART, DELHIVERY, VELOCITY)}
COURIERS = REAL | {one.code: one for one in map(_toy, FORMS)}


def fail_over_rules(couriers: Sequence[ChaosCourier]) -> list[dict[str, Any]]:
    """Return three rules of a company: each courier is the first one for many orders.

    Every rule goes on to the next courier, also after a doubt that was settled as not booked.
    """
    codes = [courier.code for courier in couriers]
    goes_on = {"fail_over": True, "book_after_doubt": True}
    return [
        {
            "name": "Cash on delivery",
            "conditions": {"payment_modes": ["cod"]},
            "strategy": "priority",
            "couriers": [{"courier": code} for code in (*codes[1:], codes[0])],
            **goes_on,
        },
        {
            "name": "Heavy",
            "conditions": {"min_weight_g": HEAVY_G},
            "strategy": "priority",
            "couriers": [{"courier": code} for code in (*codes[2:], *codes[:2])],
            **goes_on,
        },
        {
            "name": "All others",
            "strategy": "weights",
            "couriers": [{"courier": code, "weight": 1} for code in codes],
            **goes_on,
        },
    ]
