"""The looks of the core's work lists of other rows than shipments, and what mends these rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.timesince import timesince

from couriers.admin.base import admin_url
from couriers.admin.decision_pages import shipment_url
from couriers.admin.worklists.looks import Link, Looks, RowAct, register
from couriers.booking.bulk_retry import retry_order
from couriers.booking.registration_retry import retry_registration
from couriers.contract.errors import CourierError
from couriers.contract.masking import mask_text
from couriers.contract.platform_errors import FlagNotOpen
from couriers.fulfilment.manifest_retry import retry_chunk
from couriers.fulfilment.settling_actions import ask_now, settle_unknown
from couriers.fulfilment.starting import restart_bulk, restart_manifest
from couriers.models import (
    BulkOrder,
    FlagKind,
    ManifestChunk,
    Scan,
    ShipmentAction,
    ShipmentFlag,
    WarehouseRegistration,
)
from couriers.models.operator_job import OperatorAct
from couriers.models.warehouse import RegistrationState
from couriers.operations import decisions, flags, references, staff
from couriers.tracking.remapping import map_again

TRACK, CANCEL = OperatorAct.TRACK, OperatorAct.CANCEL
Rows = Sequence[Any]


def counted(
    done: int, rows: Rows, what: str, rest: str = "had changed since: nothing was done"
) -> str:
    """Return how many of the rows were done, and what became of the others."""
    others = len(rows) - done
    said = f"{done} {what}."
    return f"{said} {others} {rest}." if others else said


def _ago(at: Any) -> str:
    return timesince(at, depth=1) if at else "not known"


def _order_link(row: Any, model_admin: admin.ModelAdmin) -> Link:
    url = shipment_url(model_admin, row.shipment_id)
    return Link(url, row.shipment.order_number)


def _what_to_do(flag: ShipmentFlag, model_admin: admin.ModelAdmin) -> Link | str:
    """Return what mends the flag's cause with two clicks, "" where a person must find out."""
    if flag.kind != FlagKind.EARLIER_COURIER:
        return ""
    url = admin_url(model_admin, "shipcrowd_cancel_parcel", flag.shipment_id)
    return Link(url, "Cancel the second parcel", staff.ACT)


def _flag_cells(rows: Sequence[ShipmentFlag], model_admin: admin.ModelAdmin) -> Mapping[Any, Any]:
    return {
        one.pk: (
            _order_link(one, model_admin),
            str(one.shipment.company),
            str(one.shipment.courier),
            flags.sentence_of(one),
            _what_to_do(one, model_admin),
            _ago(one.raised_at),
        )
        for one in rows
    }


def _clear(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    cleared = 0
    for flag in rows:
        try:
            flags.clear(flag.pk, actor=actor, reason=reason)
            cleared += 1
        except FlagNotOpen:
            pass
    return counted(cleared, rows, "cleared", "had been cleared by somebody else")


def _chunk_cells(rows: Sequence[ManifestChunk], model_admin: admin.ModelAdmin) -> Mapping[Any, Any]:
    return {
        one.pk: (
            Link(
                admin_url(model_admin, "shipcrowd_couriers_manifest_change", one.manifest_id),
                f"{one.manifest_id} #{one.position}",
            ),
            str(one.manifest.company),
            str(one.manifest.account.courier),
            str(len(one.tracking_ids)),
            mask_text(one.reason),
            _ago(one.finished_at),
        )
        for one in rows
    }


def _retry_chunks(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    done = [one for one in rows if retry_chunk(one.pk)]
    for manifest in {one.manifest for one in done}:
        restart_manifest(manifest)
    rest = "had changed since, or have a shipment in another manifest: nothing was done"
    return counted(len(done), rows, "being made again", rest)


def _registration_cells(
    rows: Sequence[WarehouseRegistration], model_admin: admin.ModelAdmin
) -> Mapping[Any, Any]:
    def remedy(one: WarehouseRegistration) -> Link | str:
        if one.state == RegistrationState.IN_DOUBT:
            url = admin_url(model_admin, "shipcrowd_give_reference", one.warehouse_id)
            return Link(url, "Give the reference", references.PERMISSION)
        return "retry, or mend the address"

    warehouse = "shipcrowd_couriers_warehouse_change"
    return {
        one.pk: (
            Link(admin_url(model_admin, warehouse, one.warehouse_id), str(one.warehouse)),
            str(one.warehouse.company),
            str(one.account.courier),
            one.get_state_display(),
            mask_text(one.reason),
            remedy(one),
            _ago(one.updated_at),
        )
        for one in rows
    }


def _retry_registrations(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    done, said = 0, []
    for one in rows:
        try:
            done += retry_registration(one.pk)
        except CourierError as error:
            said.append(f"{one.warehouse}: {error.reason}.")
    tried = counted(done, [*rows[: len(rows) - len(said)]], "registered")
    return " ".join([tried, *said])


def _action_cells(
    rows: Sequence[ShipmentAction], model_admin: admin.ModelAdmin
) -> Mapping[Any, Any]:
    return {
        one.pk: (
            _order_link(one, model_admin),
            str(one.shipment.company),
            str(one.shipment.courier),
            one.get_kind_display(),
            one.get_state_display(),
            mask_text(one.words),
            str(one.asked_by or (f"API key {one.key_prefix}…" if one.key_prefix else "platform")),
            _ago(one.asked_at),
        )
        for one in rows
    }


def _ask_now(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    ended = sum(ask_now(one.pk) for one in rows)
    return counted(ended, rows, "ended", "have not ended, or the courier cannot be asked")


def _settle(was_done: bool) -> Callable[[Rows, AbstractBaseUser, str], str]:
    def run(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
        done = 0
        for one in rows:
            with transaction.atomic():
                if settle_unknown(one.pk, was_done=was_done):
                    done += 1
                    details = {"action": one.pk, "kind": one.kind, "was_done": was_done}
                    decisions.record_decision(one.shipment, actor, "settle_action", reason, details)
        return counted(done, rows, "settled", "were not unknown: nothing was done")

    return run


def _bulk_cells(rows: Sequence[BulkOrder], model_admin: admin.ModelAdmin) -> Mapping[Any, Any]:
    return {
        one.pk: (
            one.order_number,
            str(one.job.company),
            Link(admin_url(model_admin, "shipcrowd_couriers_bulkjob_change", one.job_id), "Job"),
            mask_text(one.reason),
            str(one.tries),
            _ago(one.finished_at),
        )
        for one in rows
    }


def _retry_orders(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    done = sum(retry_order(one.pk) for one in rows)
    if done:
        restart_bulk()
    rest = "had changed since, or must be handed in again: nothing was done"
    return counted(done, rows, "being booked again", rest)


def _scan_cells(rows: Sequence[Scan], model_admin: admin.ModelAdmin) -> Mapping[Any, Any]:
    return {
        one.pk: (
            _order_link(one, model_admin),
            str(one.shipment.company),
            str(one.shipment.courier),
            " ".join(filter(None, (one.courier_type, one.courier_status, one.courier_code))),
            mask_text(one.description),
            _ago(one.received_at),
        )
        for one in rows
    }


def _map_again(rows: Rows, actor: AbstractBaseUser, reason: str) -> str:
    known = sum(map_again(one.pk) for one in rows)
    return counted(known, rows, "known now", "are still not known to the plug-in")


OF_SHIPMENT = ("shipment__company", "shipment__courier")
register(
    "flags",
    Looks(
        ("Order", "Company", "Courier", "What is wrong", "What to do", "Since"), _flag_cells,
        OF_SHIPMENT, "shipment_id", (TRACK, CANCEL),
        (
            RowAct(
                "clear", "Clear", flags.PERMISSION,
                "A flag is cleared when somebody has found out what happened and has done what was "
                "needed.", _clear, needs_reason=True,
            ),
        ),
    ),
)  # fmt: skip
register(
    "chunks",
    Looks(
        ("Chunk", "Company", "Courier", "Shipments", "Why", "Failed"), _chunk_cells,
        ("manifest__company", "manifest__account__courier"),
        row_acts=(
            RowAct(
                "retry", "Retry", staff.ACT,
                "The courier is asked for the document once more.", _retry_chunks,
            ),
        ),
    ),
)  # fmt: skip
register(
    "registrations",
    Looks(
        ("Warehouse", "Company", "Courier", "State", "Why", "What to do", "Since"),
        _registration_cells, ("warehouse__company", "account__courier"),
        row_acts=(
            RowAct(
                "retry", "Retry", references.PERMISSION,
                "The courier is asked once more to register the warehouse. One that is in doubt "
                "needs its reference instead.", _retry_registrations,
            ),
        ),
    ),
)  # fmt: skip
register(
    "actions",
    Looks(
        ("Order", "Company", "Courier", "Action", "State", "Courier's words", "Asked by", "Since"),
        _action_cells, (*OF_SHIPMENT, "asked_by"), "shipment_id", (TRACK,),
        (
            RowAct(
                "ask", "Ask how it ended", staff.ACT,
                "The courier is asked how accepted actions ended.", _ask_now,
            ),
            RowAct(
                "was-done", "It was done", staff.ACT,
                "You asked the courier about an unknown action, and it was done.",
                _settle(was_done=True), needs_reason=True,
            ),
            RowAct(
                "was-not-done", "It was not done", staff.ACT,
                "You asked the courier about an unknown action, and it was not done. It may be "
                "asked for again.", _settle(was_done=False), needs_reason=True,
            ),
        ),
    ),
)  # fmt: skip
register(
    "bulk",
    Looks(
        ("Order", "Company", "Job", "Why", "Tries", "Failed"),
        _bulk_cells,
        ("job__company",),
        row_acts=(
            RowAct(
                "retry",
                "Retry",
                staff.ACT,
                "They are booked as they were handed in, unless that has been done since. Look at "
                "why they failed first.",
                _retry_orders,
            ),
        ),
    ),
)
register(
    "unknown-statuses",
    Looks(
        ("Order", "Company", "Courier", "Courier's status", "Courier's words", "Since"),
        _scan_cells, OF_SHIPMENT, "shipment_id", (TRACK,),
        (
            RowAct(
                "map", "Map again", staff.ACT,
                "A newer plug-in may know these statuses. The shipments then follow their scans.",
                _map_again,
            ),
        ),
    ),
)  # fmt: skip
