"""The looks of the work lists of shipments: in doubt, NDR and not picked."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser

from couriers.admin.worklists import shipment_cells as cells
from couriers.admin.worklists.looks import Looks, RowAct, register
from couriers.models import Shipment
from couriers.models.operator_job import OperatorAct
from couriers.operations import staff, staff_notes


def _assign(rows: Sequence[Shipment], actor: AbstractBaseUser, reason: str) -> str:
    """Assign those that nobody has. Says who was first with the others."""
    found = [(one, staff_notes.assign(one, actor)) for one in rows]
    mine = sum(assignment.user_id == actor.pk for _, assignment in found)
    others = [
        f"{assignment.user} was first: order {one.order_number}."
        for one, assignment in found
        if assignment.user_id != actor.pk
    ]
    return " ".join([f"{mine} assigned to you.", *others])


def _unassign(rows: Sequence[Shipment], actor: AbstractBaseUser, reason: str) -> str:
    released = sum(staff_notes.release(one, actor) for one in rows)
    return f"{released} assigned to nobody."


def _note(rows: Sequence[Shipment], actor: AbstractBaseUser, text: str) -> str:
    """Put the note on each of them. Raises InvalidRequest for a text that none takes."""
    erased = 0
    for one in rows:
        if one.erased_at is None:
            staff_notes.add_note(one.pk, actor, text)
        else:
            erased += 1
    said = f"The note is on {len(rows) - erased} of them."
    return f"{said} The consignees of {erased} are erased: they take no note." if erased else said


ABOUT_PEOPLE = (
    RowAct(
        "assign", "Assign to me", staff.ACT,
        "You look after them, where nobody else does.", _assign,
    ),
    RowAct(
        "unassign", "Unassign", staff.ACT,
        "Those that are assigned to you are assigned to nobody then.", _unassign,
    ),
    RowAct(
        "note", "Add a note", staff.ACT,
        "Each of them gets the note, which members of staff see and consignees never.", _note,
        needs_note=True,
    ),
)  # fmt: skip
RELATED = ("company", "courier")
register(
    "doubts", Looks(cells.DOUBT_HEADERS, cells.doubt_cells, RELATED, "pk", row_acts=ABOUT_PEOPLE)
)
register(
    "ndr",
    Looks(
        cells.NDR_HEADERS, cells.ndr_cells, RELATED, "pk",
        (
            OperatorAct.REATTEMPT, OperatorAct.RTO, OperatorAct.ADDRESS, OperatorAct.TRACK,
            OperatorAct.CANCEL,
        ),
        ABOUT_PEOPLE,
    ),
)  # fmt: skip
register(
    "not-picked",
    Looks(
        cells.NOT_PICKED_HEADERS, cells.not_picked_cells, RELATED, "pk",
        (OperatorAct.PICKUP, OperatorAct.TRACK, OperatorAct.CANCEL), ABOUT_PEOPLE,
    ),
)  # fmt: skip
