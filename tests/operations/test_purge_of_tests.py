"""Test shipments are purged after 30 days with all that belongs to them; live ones stay."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.utils import timezone

from couriers.models import (
    AuditEntry,
    BulkJob,
    Manifest,
    Scan,
    Shipment,
    StoredDocument,
)
from couriers.operations import retention
from tests.support.factories import ShipmentFactory, WarehouseFactory
from tests.support.tenants import Tenant, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
LATER = dt.timedelta(days=31)


@pytest.fixture
def tenants(able: Any, settings: Any, tmp_path: Path) -> tuple[Tenant, Tenant]:
    """A company's live rows and its test rows, one of everything, without audit entries."""
    settings.MEDIA_ROOT = str(tmp_path)
    live = make_tenant("live")
    return live, make_tenant("trial", company=live.account.company, is_test=True)


def purge_after(time: dt.timedelta) -> dict[str, int]:
    with time_machine.travel(timezone.now() + time):
        return retention.purge().counts


def named_by_the_trail() -> set[str]:
    return {str(e.shipment_id) for e in AuditEntry.objects.exclude(shipment=None)}


def make_unnamed(tenant: Tenant, **columns: Any) -> Shipment:
    """A shipment with a scan, a document and its file, that no audit entry names."""
    made: Shipment = ShipmentFactory(
        account=tenant.account, warehouse=tenant.account.company.warehouses.get(
            is_test=tenant.account.is_test
        ), **columns,
    )  # fmt: skip
    Scan.objects.create(shipment=made, at=timezone.now(), courier_status="x")
    document = StoredDocument(shipment=made, tracking_id="T")
    document.file.save("x.pdf", ContentFile(document.seal(b"%PDF")))
    return made


def test_only_test_rows_are_purged_and_only_after_their_time(tenants: Any) -> None:
    live, trial = tenants
    kept, gone = make_unnamed(live), make_unnamed(trial)
    back = make_unnamed(trial, original=gone, direction="reverse")
    assert purge_after(dt.timedelta(days=29))["test_shipments"] == 0
    counts = purge_after(LATER)
    assert counts["test_jobs"] == counts["test_manifests"] == 1
    assert not Shipment.objects.filter(pk__in=[gone.pk, back.pk]).exists()
    assert Shipment.objects.filter(pk=kept.pk, erased_at=None).exists()
    assert Scan.objects.filter(shipment=kept).exists()
    assert list(BulkJob.objects.values_list("is_test", flat=True)) == [False]
    assert list(Manifest.objects.values_list("account__is_test", flat=True)) == [False]
    assert purge_after(LATER)["test_shipments"] == 0


def test_the_files_of_their_documents_go_too(tenants: Any, tmp_path: Path) -> None:
    live, trial = tenants
    kept, gone = (make_unnamed(one).documents.get().file.name for one in (live, trial))
    assert (tmp_path / gone).exists()
    purge_after(LATER)
    assert not (tmp_path / gone).exists()
    assert (tmp_path / kept).exists()


def test_what_the_audit_trail_names_stays_and_is_erased(tenants: Any) -> None:
    _, trial = tenants
    shipment = trial.row(Shipment)
    assert shipment.pk in named_by_the_trail()
    assert purge_after(LATER)["test_shipments"] == 1
    shipment.refresh_from_db()
    assert shipment.erased_at is not None
    assert shipment.consignee_name == shipment.consignee_phone == ""


@pytest.mark.parametrize("status", ["booking", "in_doubt", "booked"])
def test_one_that_never_ended_goes_too(able: Any, company: Any, account: Any, status: str) -> None:
    warehouse = WarehouseFactory(company=company, is_test=True)
    account.is_test = True
    account.save()
    ShipmentFactory(
        account=account, warehouse=warehouse, status=status,
        tracking_id="" if status != "booked" else "T1", lease_expires_at=timezone.now(),
    )  # fmt: skip
    assert purge_after(LATER)["test_shipments"] == 1
    assert not Shipment.objects.exists()
