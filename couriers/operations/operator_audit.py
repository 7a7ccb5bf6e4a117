"""The audit rows of what operators asked for: one for each job, whatever its size."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from couriers.contract.logs import get_logger
from couriers.models import OperatorJob, Shipment
from couriers.models.audit import record
from couriers.operations.decisions import record_decision
from couriers.operations.worklists import worklist as registered_list

log = get_logger(__name__)

ACTION = "act_on_shipment"  # the action of the audit entry, for one shipment
JOB = "act_on_shipments"  # the same for many


def record_job(
    job: OperatorJob, actor: AbstractBaseUser, about: Shipment | None, count: int
) -> None:
    """Record that the actor asked for the job. Call in the transaction that stores it.

    `about` is the shipment of a job that has one; `count` is how many were chosen. What was asked
    with is not recorded: it may be the consignee's. Each shipment's own action names the actor.
    """
    details: dict[str, Any] = {"job": job.pk, "act": job.act, "count": count}
    if job.worklist:
        details |= {"worklist": job.worklist, "filters": job.filters}
    if job.day is not None:
        details["day"] = job.day.isoformat()
    reason = f"{job.get_act_display()}, {count} shipment{'' if count == 1 else 's'}"
    if about is not None:
        record_decision(about, actor, ACTION, reason, details)
        return
    record(job, JOB, actor=actor, reason=reason, details=details)
    log.warning(JOB, job=job.pk, actor=str(actor.pk), count=count)


def record_row_act(
    actor: AbstractBaseUser, worklist: str, act: str, reason: str, keys: Collection[Any]
) -> None:
    """Record what somebody asks to be done to rows of a work list, before it is done."""
    details = {"worklist": worklist, "rows": [str(key) for key in keys]}
    action = f"{worklist}_{act}".replace("-", "_")
    about = registered_list(worklist).model
    record(about, action, actor=actor, reason=reason or f"{len(keys)} rows", details=details)
    log.warning(action, actor=str(actor.pk), count=len(keys))
