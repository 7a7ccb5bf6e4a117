"""PDFs of many labels made by workers: all labels in order, or each missing one with its reason."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from couriers import tasks
from couriers.contract.adapter import Capability
from couriers.contract.documents import Document
from couriers.contract.errors import CircuitOpen, Rejected, Unknown
from couriers.fulfilment import label_jobs
from couriers.models import LabelJob, Shipment
from couriers.models.label_job import KEPT
from couriers.operations import erasure, retention
from sandbox.pdf import Label, draw_labels
from tests.support.api import post_json, set_status
from tests.support.documents import generous
from tests.support.factories import CompanyFactory, ShipmentFactory, make_api_key

pytestmark = pytest.mark.django_db
URL = "/api/v1/labels/"
COUNT = 101  # one more than a request waits for


class Courier:
    """Draws a page for each label. `faults` are raised for the tracking ids that they name."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.faults: dict[str, Exception] = {}
        self.before: Callable[[], None] = lambda: None

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        self.calls.append(list(tracking_ids))
        self.before()
        for tracking_id in tracking_ids:
            if tracking_id in self.faults:
                raise self.faults[tracking_id]
        pages = [Label([tracking_id], barcode=tracking_id) for tracking_id in tracking_ids]
        return Document(draw_labels(pages), "application/pdf", "labels.pdf")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def courier(account: Any) -> Iterator[Courier]:
    made = Courier()
    with generous(
        Capability.GET_LABEL, get_label=lambda self, ids: made.get_label(ids), label_size=50
    ):
        yield made


@pytest.fixture
def shipments(account: Any) -> list[Shipment]:
    warehouse = account.company.warehouses.get()
    return [ShipmentFactory(account=account, warehouse=warehouse) for _ in range(COUNT)]


def ask(client: Client, shipments: Sequence[Shipment], **more: Any) -> Any:
    body = {"shipments": [each.pk for each in shipments], **more}
    answer = post_json(client, URL, body, Accept="application/pdf")
    assert answer.status_code == 202, answer.content
    return answer


def files(media: Path) -> list[Path]:
    return list((media / label_jobs.FOLDER).glob("*.sealed"))


def make(job_id: str) -> Any:
    """Make the job as a worker does, without its pauses; return it."""
    while label_jobs.make(job_id) is not None:
        LabelJob.objects.update(next_attempt_at=timezone.now())
    return LabelJob.objects.get(pk=job_id)


def pages(answer: Any) -> list[str]:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer["Content-Length"])
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_a_worker_makes_one_pdf_in_the_order_asked(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path
) -> None:
    accepted = ask(storefront, shipments[::-1], format="a4_4up")
    job = accepted.json()
    assert (job["state"], job["total"], job["file"]) == ("pending", COUNT, None)
    assert accepted["Retry-After"] == "5"
    early = storefront.get(f"{accepted['Location']}file/")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/labels-not-ready")
    tasks.make_labels(job["id"])
    done = storefront.get(accepted["Location"]).json()
    assert (done["state"], done["pages"], done["missing"]) == ("done", 26, [])
    text = " ".join(pages(storefront.get(done["file"])))
    assert text.split() == [each.tracking_id for each in shipments[::-1]]
    assert [len(call) for call in courier.calls] == [50, 50, 1]
    assert shipments[0].tracking_id.encode() not in b"".join(
        path.read_bytes() for path in media.rglob("*.sealed")
    )


def test_each_missing_label_is_reported_and_there_is_no_pdf(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path
) -> None:
    courier.faults[shipments[7].tracking_id] = Rejected("no", courier_message="it is cancelled")
    set_status(shipments[70], "in_doubt", tracking_id="")
    accepted = ask(storefront, shipments)
    make(accepted.json()["id"])
    failed = storefront.get(accepted["Location"]).json()
    assert (failed["state"], failed["file"]) == ("failed", None)
    assert failed["missing"] == [
        {"position": 7, "shipment": shipments[7].pk, "reason": "no: it is cancelled"},
        {"position": 70, "shipment": shipments[70].pk, "reason": "It is in doubt."},
    ]
    answer = storefront.get(f"{accepted['Location']}file/")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/labels-missing")
    assert answer.json()["errors"][0]["field"] == "shipments[7]"
    assert files(media) == []


def test_a_courier_that_is_away_is_waited_for(
    storefront: Client, shipments: list[Shipment], courier: Courier
) -> None:
    faults = iter([CircuitOpen("later", retry_after=40), Unknown("read time-out")])

    def sometimes() -> None:
        if fault := next(faults, None):
            raise fault

    courier.before = sometimes
    job_id = ask(storefront, shipments).json()["id"]
    assert (label_jobs.make(job_id) or 0) >= 40
    assert label_jobs.make(job_id) is None  # it is not due
    LabelJob.objects.update(next_attempt_at=timezone.now())
    job = make(job_id)
    assert (job.state, job.pages) == ("done", COUNT)


def test_a_courier_that_stays_away_ends_the_job_with_a_report(
    storefront: Client, shipments: list[Shipment], courier: Courier
) -> None:
    courier.faults[shipments[3].tracking_id] = Unknown("read time-out")
    job = make(ask(storefront, shipments).json()["id"])
    assert (job.state, job.failures) == ("failed", label_jobs.MAX_FAILURES - 1)
    assert {one["reason"] for one in job.missing} == {"read time-out"}
    assert shipments[3].pk in {one["shipment"] for one in job.missing}


def test_the_job_of_a_killed_worker_is_made_by_another_and_its_late_file_is_dropped(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path
) -> None:
    job_id = ask(storefront, shipments).json()["id"]

    def taken_over() -> None:
        courier.before = lambda: None
        LabelJob.objects.update(lease_expires_at=timezone.now())  # its worker is held up
        assert label_jobs.make(job_id) is None

    courier.before = taken_over
    assert label_jobs.make(job_id) is None
    job = LabelJob.objects.get()
    assert (job.state, job.attempts) == ("done", 2)
    assert len(files(media)) == 1
    assert len(pages(storefront.get(f"{URL}{job_id}/file/"))) == COUNT


def test_a_lost_task_is_sent_again_by_the_sweep(
    storefront: Client, shipments: list[Shipment], courier: Courier, monkeypatch: Any
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.make_labels, "apply_async", lambda args, **_: sent.append(args))
    job_id = ask(storefront, shipments).json()["id"]
    for _ in range(2):
        tasks.sweep_manifests()
    assert [list(args) for args in sent] == [[job_id]]


def test_the_same_request_is_the_same_job_while_it_is_pending(
    storefront: Client, shipments: list[Shipment], courier: Courier
) -> None:
    first = ask(storefront, shipments).json()["id"]
    assert ask(storefront, shipments).json()["id"] == first
    assert ask(storefront, shipments, format="a4").json()["id"] != first
    assert ask(storefront, shipments[::-1]).json()["id"] != first
    make(first)
    assert ask(storefront, shipments).json()["id"] != first


def test_a_company_has_a_few_jobs_open_at_once(
    storefront: Client, shipments: list[Shipment], courier: Courier, company: Any
) -> None:
    LabelJob.objects.bulk_create(
        LabelJob(company=company, shipments=[str(n)], page_format="a4") for n in range(5)
    )
    answer = post_json(storefront, URL, {"shipments": [each.pk for each in shipments]})
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-jobs")


def test_another_companys_job_is_not_found(
    client: Client, storefront: Client, shipments: list[Shipment], courier: Courier
) -> None:
    job_id = make(ask(storefront, shipments).json()["id"]).pk
    headers = {"Authorization": f"Bearer {make_api_key(CompanyFactory())}"}
    for path in ("", "file/"):
        assert client.get(f"{URL}{job_id}/{path}", headers=headers).status_code == 404
        assert storefront.get(f"{URL}{job_id}/{path}").status_code == 200


def test_the_file_ends_after_a_day(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    job_id = make(ask(storefront, shipments).json()["id"]).pk
    retention.purge()
    assert LabelJob.objects.exists()
    LabelJob.objects.update(finished_at=timezone.now() - KEPT)
    assert storefront.get(f"{URL}{job_id}/file/").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.purge().counts["label_jobs"] == 1
    assert files(media) == []
    assert storefront.get(f"{URL}{job_id}/").status_code == 404


def test_an_erased_shipment_takes_the_pdf_with_its_label_away(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    make(ask(storefront, shipments).json()["id"])
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase_locked([shipments[50].pk])
    assert not LabelJob.objects.exists()
    assert files(media) == []


def test_a_file_that_no_key_opens_is_unreadable_and_a_lost_one_not_found(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path, settings: Any
) -> None:
    job_id = make(ask(storefront, shipments).json()["id"]).pk
    (path,) = files(media)
    kept = path.read_bytes()
    path.write_bytes(b"x" + kept)
    answer = storefront.get(f"{URL}{job_id}/file/")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unreadable")
    path.unlink()
    assert storefront.get(f"{URL}{job_id}/file/").status_code == 404
    path.write_bytes(kept)
    assert len(pages(storefront.get(f"{URL}{job_id}/file/"))) == COUNT


def test_a_full_storage_is_tried_again(
    storefront: Client, shipments: list[Shipment], courier: Courier, media: Path
) -> None:
    job_id = ask(storefront, shipments).json()["id"]
    (media / "label-jobs").write_text("a file in the place of the folder")
    assert label_jobs.make(job_id) is not None
    assert LabelJob.objects.get().state == "pending"
    (media / "label-jobs").unlink()
    LabelJob.objects.update(next_attempt_at=timezone.now())
    assert make(job_id).state == "done"
