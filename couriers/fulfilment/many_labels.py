"""The labels of many shipments in one PDF: all of them in the order asked, or none.

Labels are fetched in the courier's batch size (`label_size`). A batch whose pages are as many as
its shipments is printed from, and is not stored: a label with two pages and one without would swap
theirs. Any other batch is asked for again, one label at a time, and these are stored.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from couriers.contract.adapter import Capability
from couriers.contract.batches import batches
from couriers.contract.documents import DocumentKind
from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotDone,
    NotSent,
    NotSupported,
    Rejected,
    TimeIsUp,
    Unknown,
)
from couriers.contract.platform_errors import LabelsMissing, LabelsTooLarge, PlatformError
from couriers.contract.registry import CourierFactory
from couriers.documents.once import ask
from couriers.documents.sheets import BrokenPdf, Face, PageFormat, Sheets, TooLarge
from couriers.fulfilment.labels import get_label
from couriers.fulfilment.rules import check_booked, check_not_erased
from couriers.models import CourierAccount, Shipment, StoredDocument
from couriers.models.document import DocumentState

MAX_AT_ONCE = 100  # labels that a request waits for
MAX_LABELS = 1000  # of one job
# What the labels of a request and of a job may have together, so that a process stays small.
MAX_REQUEST_BYTES = 16 * 1024 * 1024
MAX_JOB_BYTES = 32 * 1024 * 1024
REQUEST_SECONDS = 20.0  # then no further label is asked for in a request
RETRY_AFTER = 2.0  # seconds

Failure = CourierError | PlatformError


@dataclass(frozen=True, slots=True)
class MissingLabel:
    """A label that could not be had now, and why. `position` is its shipment's, from 0."""

    position: int
    shipment: Shipment
    error: Failure

    @property
    def reason(self) -> str:
        """Why, for the merchant."""
        error = self.error
        return error.reason if isinstance(error, CourierError) else error.detail or str(error)

    @property
    def may_come(self) -> bool:
        """Whether asking again may help."""
        return isinstance(self.error, (NotSent, NotDone, Unknown))


def print_labels(shipments: Sequence[Shipment], page_format: PageFormat) -> bytes:
    """Return the labels as one PDF, in the order of the shipments, each once.

    Raises NotSent or NotDone where all that lack can be asked for again, LabelsMissing naming each
    shipment otherwise, and LabelsTooLarge. Their labels that were fetched one by one are stored.
    """
    sheets = Sheets(page_format, max_bytes=MAX_REQUEST_BYTES)
    if missing := lay_out(shipments, sheets, seconds=REQUEST_SECONDS):
        raise _failure(missing)
    written = io.BytesIO()
    sheets.write(written)
    return written.getvalue()


def lay_out(shipments: Sequence[Shipment], sheets: Sheets, *, seconds: float) -> list[MissingLabel]:
    """Put the labels on the sheets in the order of the shipments, each once, if all can be had.

    Returns those that cannot be had, in order; then nothing was put on the sheets. After `seconds`
    no courier is asked any more, and what lacks then is TimeIsUp. Raises LabelsTooLarge.
    """
    run = _Run(sheets, time.monotonic() + seconds)
    positions = {each: number for number, each in reversed(list(enumerate(shipments)))}
    wanted = list(dict.fromkeys(shipments))
    try:
        run.take(wanted)
    except TooLarge:
        raise LabelsTooLarge from None
    if run.errors:
        lacking = [each for each in wanted if each in run.errors]
        return [MissingLabel(positions[each], each, run.errors[each]) for each in lacking]
    for shipment in wanted:
        sheets.place(run.faces[shipment])
    return []


class _Run:
    """The labels of one PDF: what was embedded of each shipment, or why it could not be."""

    def __init__(self, sheets: Sheets, end: float) -> None:
        self.faces: dict[Shipment, list[Face]] = {}
        self.errors: dict[Shipment, Failure] = {}
        self._sheets, self._end = sheets, end

    def take(self, shipments: Sequence[Shipment]) -> None:
        """Embed the label of each shipment, or note the error."""
        there = [each for each in shipments if self._is_printable(each)]
        stored = _stored(there)
        for shipment in there:
            if shipment.pk in stored:
                self._take_one(shipment)
        left = sorted(
            (each for each in there if each.pk not in stored), key=lambda each: each.account_id
        )
        for _, group in groupby(left, key=lambda each: each.account_id):
            mine = list(group)
            self._fetch(mine[0].account, mine)

    def _is_printable(self, shipment: Shipment) -> bool:
        try:
            check_booked(shipment)
            check_not_erased(shipment)
        except PlatformError as error:
            self.errors[shipment] = error
            return False
        return True

    def _fetch(self, account: CourierAccount, shipments: Sequence[Shipment]) -> None:
        """Ask the account's courier, in batches where it gives many labels a call."""
        try:
            adapter = CourierFactory.get_adapter(account)
        except (CourierError, PlatformError) as error:
            self.errors |= dict.fromkeys(shipments, error)
            return
        size = adapter.label_size if adapter.supports(Capability.GET_LABEL) else 1
        for batch in batches(list(shipments), size):
            if len(batch) == 1:
                self._take_one(batch[0])
            else:
                self._take_batch(account, batch)

    def _take_batch(
        self, account: CourierAccount, batch: Sequence[Shipment], refusal: Failure | None = None
    ) -> None:
        """Embed a batch. What the courier refuses together is asked for by halves.

        `refusal` is that of the larger batch. It stands for the part where no further call can be
        made now: it says more than that.
        """
        if len(batch) == 1:
            self._take_one(batch[0], refusal)
            return
        ids = [shipment.tracking_id for shipment in batch]
        try:
            self._check_time()
            document = ask(account, DocumentKind.LABEL, Capability.GET_LABEL, ids)
        except (CredentialsRefused, NotSupported) as error:  # smaller batches fare no better
            self.errors |= dict.fromkeys(batch, error)
            return
        except Rejected as error:
            half = len(batch) // 2
            self._take_batch(account, batch[:half], error)
            self._take_batch(account, batch[half:], error)
            return
        except (NotSent, NotDone) as error:
            self.errors |= dict.fromkeys(batch, refusal or error)
            return
        except (CourierError, PlatformError) as error:
            self.errors |= dict.fromkeys(batch, error)
            return
        try:
            faces = self._sheets.embed(document.content, labels=len(batch))
        except BrokenPdf:
            faces = []
        if len(faces) == len(batch):
            self.faces |= {each: [face] for each, face in zip(batch, faces, strict=True)}
            return
        for shipment in batch:
            self._take_one(shipment)

    def _take_one(self, shipment: Shipment, refusal: Failure | None = None) -> None:
        try:
            self._check_time()
            self.faces[shipment] = self._sheets.embed(get_label(shipment))
        except BrokenPdf as error:
            self.errors[shipment] = Unknown(
                f"the courier's PDF {error}",
                courier=shipment.courier_id,
                operation=Capability.GET_LABEL.value,
            )
        except (NotSent, NotDone) as error:
            self.errors[shipment] = refusal or error
        except (CourierError, PlatformError) as error:
            self.errors[shipment] = error

    def _check_time(self) -> None:
        if time.monotonic() >= self._end:
            raise TimeIsUp("there was no time left to ask for it", retry_after=RETRY_AFTER)


def _stored(shipments: Iterable[Shipment]) -> set[str]:
    """Return the ids of the shipments whose label is stored for their tracking id."""
    tracking_ids: Mapping[str, str] = {each.pk: each.tracking_id for each in shipments}
    rows = StoredDocument.objects.filter(
        shipment__in=tracking_ids, kind=DocumentKind.LABEL, state=DocumentState.STORED
    ).values_list("shipment_id", "tracking_id")
    return {pk for pk, tracking_id in rows if tracking_ids[pk] == tracking_id}


def _failure(missing: Sequence[MissingLabel]) -> Failure:
    """Return the error for labels that could not be had."""
    errors = [each.error for each in missing]
    first = errors[0]
    if isinstance(first, (NotSent, NotDone)) and all(
        isinstance(each, (NotSent, NotDone)) for each in errors
    ):
        named = ", ".join(each.shipment.pk for each in missing)
        waits = [each.retry_after or RETRY_AFTER for each in errors]
        return type(first)(
            f"{first.message}; without a label: {named}",
            courier=first.courier,
            operation=first.operation,
            courier_message=first.courier_message,
            retry_after=max(waits),
        )
    return LabelsMissing(
        [(each.position, each.shipment.pk, each.reason) for each in missing],
        retry_after=RETRY_AFTER if all(each.may_come for each in missing) else None,
    )
