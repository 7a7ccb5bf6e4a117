"""Has workers begin at once what an operator asked for, by the names of their tasks.

Where the broker is away, the sweepers find the work.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from kombu.exceptions import OperationalError as BrokerUnavailable

from couriers.contract.logs import get_logger
from couriers.models import Manifest, OperatorJob
from couriers.resilience import broker

log = get_logger(__name__)

RUN_JOB = "couriers.run_operator_job"
RUN_BULK = "couriers.run_bulk"
MAKE_MANIFEST = "couriers.make_manifest"


def start_operator_job(job: OperatorJob) -> None:
    """Have workers do what the operator asked for, once the transaction is committed."""
    transaction.on_commit(partial(_send, RUN_JOB, job.pk))


def restart_manifest(manifest: Manifest) -> None:
    """Have workers make the chunks that are due again, once the transaction is committed."""
    transaction.on_commit(partial(_send, MAKE_MANIFEST, manifest.pk))


def restart_bulk() -> None:
    """Have a worker go on with bulk jobs, once the transaction is committed."""
    transaction.on_commit(partial(_send, RUN_BULK))


def _send(name: str, *arguments: str) -> None:
    try:
        broker.send_named(name, arguments)
    except BrokerUnavailable as error:
        log.warning("task_not_sent", task=name, error=str(error))
