"""Labels and manifests, against the sandbox."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from couriers.contract.errors import InvalidRequest, NotFound, Rejected
from couriers.documents.sheets import PageFormat
from couriers.fulfilment import label_jobs, manifests
from couriers.models import Shipment
from couriers_ekart.adapter import EkartAdapter
from sandbox.process import SandboxProcess
from tests.support.ekart import adapter_at, calls_made, request_for
from tests.support.factories import ShipmentFactory, WarehouseFactory, make_api_key
from tests.support.manifests import make_due_chunks
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db

sandbox = sandbox_fixture("--hold", "--record", "--pincodes", "3000", scope="module")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    sandbox.set_faults()
    return adapter_at(sandbox.url)


def booked(adapter: EkartAdapter, count: int) -> list[str]:
    return [
        adapter.create_shipment(request_for(adapter, order_number=f"N-{number}")).tracking_id
        for number in range(count)
    ]


def shipments_of(adapter: EkartAdapter, tracking_ids: list[str]) -> list[Shipment]:
    account: Any = adapter.account
    warehouse = WarehouseFactory(company=account.company)
    return [
        ShipmentFactory(account=account, warehouse=warehouse, tracking_id=each)
        for each in tracking_ids
    ]


def text_of(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_more_than_a_hundred_labels_are_printed_in_the_order_asked(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    ids = booked(adapter, 130)[::-1]
    before = sandbox.state()["calls"].get("label", 0)
    shipments = shipments_of(adapter, ids)
    job = label_jobs.create(
        shipments[0].company,
        is_test=False,
        shipments=[each.pk for each in shipments],
        page_format=PageFormat.A4,
    )
    assert label_jobs.make(job.pk) is None
    job.refresh_from_db()
    pages = text_of(b"".join(label_jobs.pieces_of(job)))
    assert len(pages) == 130
    assert all(one in page for one, page in zip(ids, pages, strict=True))
    assert sandbox.state()["calls"]["label"] == before + 2
    assert len(adapter.get_label_data(ids[:100])) == 100


def test_json_in_the_place_of_a_label_raises_its_refusal(adapter: EkartAdapter) -> None:
    good = booked(adapter, 1)
    with pytest.raises((Rejected, NotFound)):
        adapter.get_label([*good, "500NOPE"])


@pytest.mark.parametrize("ids", [[], [f"T{n}" for n in range(101)]])
def test_labels_of_no_or_too_many_ids_are_refused_before_any_call(
    adapter: EkartAdapter, sandbox: SandboxProcess, ids: list[str]
) -> None:
    before = calls_made(sandbox)
    for ask in (adapter.get_label, adapter.get_label_data):
        with pytest.raises(InvalidRequest, match="tracking_ids: must be 1 to 100"):
            ask(ids)
    assert calls_made(sandbox) == before


def test_the_manifest_of_the_courier_is_served_from_here(
    adapter: EkartAdapter, client: Client
) -> None:
    ids = booked(adapter, 3)
    shipments = shipments_of(adapter, ids)
    account = shipments[0].account
    manifest = manifests.create_for_shipments(account, [each.pk for each in shipments]).manifest
    assert make_due_chunks(manifest).state == "done"
    headers = {"Authorization": f"Bearer {make_api_key(account.company)}"}
    shown = client.get(f"/api/v1/manifests/{manifest.pk}/", headers=headers)
    assert account.base_url not in shown.content.decode()
    answer: Any = client.get(shown.json()["documents"][0]["url"], headers=headers)
    (page,) = text_of(b"".join(answer.streaming_content))
    assert all(one in page for one in ids)


def test_a_manifest_of_more_than_a_hundred_ids_is_refused_before_any_call(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    ids = booked(adapter, 3)
    document = adapter.create_manifest(ids)
    made = {m["manifestNumber"]: m["ids"] for m in sandbox.list_all("/_sandbox/manifests")}
    assert made[int(document.number)] == ids
    before = calls_made(sandbox)
    with pytest.raises(InvalidRequest, match="1 to 100"):
        adapter.create_manifest([f"T{n}" for n in range(101)])
    assert calls_made(sandbox) == before
