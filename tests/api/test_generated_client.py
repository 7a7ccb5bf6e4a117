"""A client that openapi-python-client generates from the served schema works as it comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from couriers.models import Shipment
from tests.support.factories import make_api_key
from tests.support.generated_client import generated_client, part
from tests.support.toy import PDF

# With a database, so that the module runs at once and the client is generated once.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator printed. The generated package can be imported."""
    with generated_client(tmp_path_factory.mktemp("client")) as printed:
        yield printed


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


@pytest.mark.slow
def test_the_generator_knows_everything_but_the_media_types_of_documents(generated: str) -> None:
    files = ("label", "labels", "labels of a job", "document of a manifest", "proof of delivery")
    assert generated.count("WARNING") == len(files) + 1
    assert generated.count("Unsupported content_type application/pdf") == len(files)
    assert generated.count("Unsupported content type text/csv") == 1  # a spreadsheet of orders


def test_it_books_reads_lists_and_prints_a_label(
    merchant: Any, order: dict[str, Any], settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    models = part("models")
    booked = part("api.shipments.book_shipment").sync(
        client=merchant, body=draft(order), idempotency_key="key-1"
    )
    assert isinstance(booked, models.Shipment)
    assert (booked.status, booked.cod_amount) == (models.StatusEnum.BOOKED, "1523.00")
    assert booked.consignee.to_dict() | order["consignee"] == booked.consignee.to_dict() | {
        "phone": order["consignee"]["phone"]
    }
    shown = part("api.shipments.get_shipment").sync(id=booked.id, client=merchant)
    assert booked.to_dict() | {"scans": None, "actions": None, "calls": None} == shown.to_dict()
    page = part("api.shipments.list_shipments").sync(client=merchant, page_size=10)
    assert ([row.to_dict() for row in page.results], page.next_) == (
        [booked.to_dict() | {"consignee": None}], None,
    )  # fmt: skip
    label = part("api.labels_and_documents.get_shipment_label").sync_detailed(
        id=booked.id, client=merchant
    )
    assert (label.status_code, label.content) == (200, PDF)
    tracked = part("api.tracking.track_shipment").sync(id=booked.id, client=merchant)
    assert tracked.status == models.StatusEnum.IN_TRANSIT
    scans = part("api.tracking.list_shipment_scans").sync(id=booked.id, client=merchant)
    assert [(scan.location, scan.ignored) for scan in scans] == [("PUNE", False)]


def test_a_refusal_is_a_problem_with_its_fields(merchant: Any, order: dict[str, Any]) -> None:
    refused = part("api.shipments.book_shipment").sync(
        client=merchant, body=draft(order, phone="12")
    )
    assert isinstance(refused, part("models").Problem)
    assert refused.type_ == "/problems/validation"
    assert [error.field for error in refused.errors] == ["consignee.phone"]
    assert not Shipment.objects.exists()


def test_it_lists_and_adds_warehouses(merchant: Any) -> None:
    models = part("models")
    (first,) = part("api.warehouses.list_warehouses").sync(client=merchant)
    body = models.WarehouseRequest(
        name="Second", contact_name="Gate 2", phone=first.phone, address=first.address,
        city=first.city, state=first.state, pincode=first.pincode,
    )  # fmt: skip
    added = part("api.warehouses.create_warehouse").sync(client=merchant, body=body)
    assert isinstance(added, models.Warehouse)
    assert {w.name for w in part("api.warehouses.list_warehouses").sync(client=merchant)} == {
        first.name, "Second",
    }  # fmt: skip
