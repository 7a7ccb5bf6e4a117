"""How each work list looks: its columns, and what mends its rows.

Other apps register the looks of their own lists. A list without looks is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser

from couriers.models.operator_job import OperatorAct


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads to a page. It is shown to those with its `permission`, if it has one."""

    url: str
    text: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class RowAct:
    """What can be done to rows of a list within the platform, once it is confirmed.

    `run` gets the rows, who acts, and the reason or the note, "" where neither is asked for. It
    returns what it did as sentences, and raises InvalidRequest for a text that is not taken. It may
    call a courier. The audit trail keeps a reason; a note may hold a phone, so it keeps none.
    """

    name: str
    label: str
    permission: str
    happens: str
    run: Callable[[Sequence[Any], AbstractBaseUser, str], str]
    needs_reason: bool = False
    needs_note: bool = False


# The cells of rows, by their keys, and the model admin that makes links.
Cells = Callable[[Sequence[Any], admin.ModelAdmin], Mapping[Any, Sequence[Link | str]]]


@dataclass(frozen=True, slots=True)
class Looks:
    """The columns of a list, and what its rows and selections can be asked to do.

    `related` are arguments of select_related. `shipment` is the attribute with a row's shipment's
    id, "" where it has none: then couriers can be asked to act (`acts`) on the shipments.
    """

    headers: tuple[str, ...]
    cells: Cells
    related: tuple[str, ...] = ()
    shipment: str = ""
    acts: tuple[OperatorAct, ...] = ()
    row_acts: tuple[RowAct, ...] = ()


def cells_for(user: Any, cells: Sequence[Link | str]) -> list[Link | str]:
    """Return the cells as the user may see them: empty instead of a link that is not for them."""
    return [
        ""
        if isinstance(one, Link) and one.permission and not user.has_perm(one.permission)
        else one
        for one in cells
    ]


_looks: dict[str, Looks] = {}


def register(name: str, looks: Looks) -> None:
    """Have the list of this name look so."""
    _looks[name] = looks


def looks_of(name: str) -> Looks | None:
    """Return the looks of a list, None where nobody registered any."""
    return _looks.get(name)
