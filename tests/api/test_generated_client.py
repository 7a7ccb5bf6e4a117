"""A client that openapi-python-client generates from the served schema works as it comes."""

from __future__ import annotations

import datetime as dt
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from couriers.models import Shipment
from tests.support.factories import make_api_key
from tests.support.toy import PDF

# With a database, so that the module runs at once and the client is generated once.
pytestmark = pytest.mark.django_db(transaction=True)
PACKAGE = "generated_shipcrowd_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator printed. The generated package can be imported."""
    folder = tmp_path_factory.mktemp("client")
    schema = folder / "schema.yaml"
    schema.write_bytes(Client().get("/api/schema/").content)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(schema)]
    done = subprocess.run(
        [*command, "--meta", "none", "--output-path", str(folder / PACKAGE)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield done.stdout + done.stderr
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def part(name: str) -> Any:
    """A module of the generated package."""
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def merchant(live_server: Any, able: Any, company: Any, generated: str) -> Any:
    """The generated client of a company, at a server that runs."""
    client = part("client").AuthenticatedClient
    return client(base_url=live_server.url, token=make_api_key(company))


def draft(order: dict[str, Any], **changes: Any) -> Any:
    """The order in the classes of the generated client."""
    models = part("models")
    return models.ShipmentDraft(
        courier=order["courier"],
        order_number=order["order_number"],
        order_date=dt.date.fromisoformat(order["order_date"]),
        payment_mode=models.PaymentModeEnum.COD,
        cod_amount="1523.00",
        consignee=models.Consignee(**order["consignee"] | changes),
        items=[models.Item(**item) for item in order["items"]],
        parcel=models.Parcel(**order["parcel"]),
    )


def test_the_generator_knows_everything_but_the_media_types_of_documents(generated: str) -> None:
    files = ("label", "labels", "proof of delivery")
    assert generated.count("WARNING") == len(files)
    assert generated.count("Unsupported content_type application/pdf") == len(files)


def test_it_books_reads_lists_and_prints_a_label(
    merchant: Any, order: dict[str, Any], settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    models = part("models")
    booked = part("api.shipments.shipments_create").sync(
        client=merchant, body=draft(order), idempotency_key="key-1"
    )
    assert isinstance(booked, models.Shipment)
    assert (booked.status, booked.cod_amount) == (models.StatusEnum.BOOKED, "1523.00")
    assert part("api.shipments.shipments_retrieve").sync(id=booked.id, client=merchant) == booked
    page = part("api.shipments.shipments_list").sync(client=merchant, page_size=10)
    assert (page.results, page.next_) == ([booked], None)
    label = part("api.shipments.shipments_label").sync_detailed(id=booked.id, client=merchant)
    assert (label.status_code, label.content) == (200, PDF)
    tracked = part("api.shipments.shipments_track").sync(id=booked.id, client=merchant)
    assert tracked.status == models.StatusEnum.IN_TRANSIT
    scans = part("api.shipments.shipments_scans_list").sync(id=booked.id, client=merchant)
    assert [(scan.location, scan.ignored) for scan in scans] == [("PUNE", False)]


def test_a_refusal_is_a_problem_with_its_fields(merchant: Any, order: dict[str, Any]) -> None:
    refused = part("api.shipments.shipments_create").sync(
        client=merchant, body=draft(order, phone="12")
    )
    assert isinstance(refused, part("models").Problem)
    assert refused.type_ == "/problems/validation"
    assert [error.field for error in refused.errors] == ["consignee.phone"]
    assert not Shipment.objects.exists()


def test_it_lists_and_adds_warehouses(merchant: Any) -> None:
    models = part("models")
    (first,) = part("api.warehouses.warehouses_list").sync(client=merchant)
    body = models.WarehouseRequest(
        name="Second", contact_name="Gate 2", phone=first.phone, address=first.address,
        city=first.city, state=first.state, pincode=first.pincode,
    )  # fmt: skip
    added = part("api.warehouses.warehouses_create").sync(client=merchant, body=body)
    assert isinstance(added, models.Warehouse)
    assert {w.name for w in part("api.warehouses.warehouses_list").sync(client=merchant)} == {
        first.name, "Second",
    }  # fmt: skip
