"""What an adapter class declares, compared with what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.registry import AUTO
from couriers.contract.types import Limit

CODE = re.compile(r"[a-z][a-z0-9_]{0,29}")
MAX_NAME = 100  # characters of Courier.name
_SIZES = ("manifest_size", "label_size", "track_size", "reserve_size")


def adapter_problems(adapter: type[BaseCourierAdapter]) -> list[str]:
    """Return in what the class breaks the contract, one sentence each; an empty list if in nothing.

    Makes no instance and no call.
    """
    return [*_names(adapter), *_capabilities(adapter), *_numbers(adapter), *_limits(adapter)]


def _names(adapter: type[BaseCourierAdapter]) -> Iterator[str]:
    code, name = getattr(adapter, "code", None), getattr(adapter, "name", None)
    if not isinstance(code, str) or not CODE.fullmatch(code):
        yield "`code` must be 1 to 30 small letters, digits and _, beginning with a letter"
    elif code == AUTO:
        yield f"`code` must not be {AUTO!r}, which stands for the choice by the company's rules"
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        yield f"`name` must have 1 to {MAX_NAME} characters"


def _capabilities(adapter: type[BaseCourierAdapter]) -> Iterator[str]:
    declared: Iterable[Any] = adapter.capabilities
    if unknown := [one for one in declared if not isinstance(one, Capability)]:
        yield f"`capabilities` has {unknown[0]!r}, which is no Capability"
        return
    for capability in Capability:
        own = getattr(adapter, capability.value) is not getattr(
            BaseCourierAdapter, capability.value
        )
        if capability in declared and not own:
            yield f"it declares {capability.name} and lacks the method {capability.value}"
        elif own and capability not in declared:
            yield f"it has the method {capability.value} and does not declare {capability.name}"


def _numbers(adapter: type[BaseCourierAdapter]) -> Iterator[str]:
    for name in _SIZES:
        size = getattr(adapter, name)
        if not isinstance(size, int) or size < 1:
            yield f"`{name}` must be a whole number of at least 1"
    lag = adapter.lookup_lag
    if lag is not None and Capability.FIND_BOOKING not in adapter.capabilities:
        yield "it has a `lookup_lag` and does not declare FIND_BOOKING"
    if lag is not None and not (isinstance(lag, (int, float)) and lag > 0):
        yield "`lookup_lag` must be seconds above 0, or None"


def _limits(adapter: type[BaseCourierAdapter]) -> Iterator[str]:
    limits: Mapping[Any, Any] = adapter.default_limits
    for operation, limit in limits.items():
        if not isinstance(operation, str) or not isinstance(limit, Limit):
            yield "`default_limits` must map the names of operations to Limits"
            return
        if limit.count < 1 or limit.window <= 0 or not 1 <= limit.cost <= limit.count:
            yield f"the limit of {operation} permits no call"
