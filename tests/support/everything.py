"""One row of every model, with secrets that no page may show."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.utils import timezone

from couriers.booking.protocol import book
from couriers.models import (
    AuditEntry,
    BulkJob,
    BulkOrder,
    BulkTurn,
    CallbackTally,
    CourierAccount,
    CourierToken,
    DoubtInquiry,
    FlagKind,
    Manifest,
    ManifestChunk,
    Product,
    ReservedId,
    Scan,
    ServiceablePincode,
    ShipmentAction,
    StoredDocument,
    WarehousePickup,
    WarehouseRegistration,
)
from couriers.models.flag import raise_flag
from tests.support.drafts import DRAFT
from tests.support.factories import make_api_key
from webhooks.models import WebhookEvent

LOGIN = {"username": "user-is-secret", "password": "password-is-secret"}
SECRETS = LOGIN | {
    "webhook_secret": "hook-is-secret",
    "previous_webhook_secret": "old-hook-is-secret",
}


def make_everything(account: CourierAccount) -> CourierAccount:
    """Create at least one row of every model. The account is one of the toy courier."""
    account.login |= LOGIN
    for name in SECRETS.keys() - LOGIN.keys():
        setattr(account, name, SECRETS[name])
    account.previous_webhook_secret_at = timezone.now()
    account.save()
    make_api_key(account.company)
    options = {"alternate_phone": "9123456780"}
    shipment = book(account.company, dataclasses.replace(DRAFT, options=options)).shipment
    CourierToken.objects.create(
        account=account, access_token="token-is-secret", expires_at=timezone.now()
    )
    CallbackTally.objects.create(account=account, refused_at=timezone.now(), refused_count=3)
    DoubtInquiry.objects.create(shipment=shipment, attempt=1, asked=1, last_answer="absent")
    ReservedId.objects.create(
        account=account, courier=account.courier, number="N-1", fetched_at=timezone.now(),
        use_from=timezone.now(), state_at=timezone.now(),
    )  # fmt: skip
    Scan.objects.create(shipment=shipment, at=timezone.now(), courier_status="x")
    ShipmentAction.objects.create(
        shipment=shipment, kind="address", state="done", ended_at=timezone.now(),
        asked={"phone": "9123456780", "address": "9, Secret Lane"}, words="done",
    )  # fmt: skip
    WarehousePickup.objects.create(
        account=account, warehouse=shipment.warehouse, day="2026-11-30", count=3, state="done",
        ended_at=timezone.now(),
    )  # fmt: skip
    raise_flag(shipment, FlagKind.SECOND_SHIPMENT, tracking_id="T-9")
    WarehouseRegistration.objects.create(
        account=account, warehouse=shipment.warehouse, reference="r", state="synced"
    )
    manifest = Manifest.objects.create(company=account.company, account=account)
    ManifestChunk.objects.create(manifest=manifest, position=0, tracking_ids=["x"])
    job = BulkJob.objects.create(company=account.company, total=1)
    BulkOrder.objects.create(
        job=job, position=0, order_number="A-1", request="9, Secret Lane, 9876543210"
    )
    BulkTurn.objects.create(company=account.company)
    StoredDocument.objects.create(
        shipment=shipment, tracking_id="T", file="labels/x.pdf",
        link="https://store.example/x.pdf?link-is-secret",
    )  # fmt: skip
    ServiceablePincode.objects.create(
        courier=account.courier, pincode="560001", serviceable=True, loaded_at=timezone.now()
    )
    AuditEntry.objects.create(company=account.company, shipment=shipment, action="x", reason="y")
    Product.objects.create(company=account.company, sku="MUG-11", name="Mug", hsn_code="6912")
    WebhookEvent.objects.create(
        account=account, content_hash=b"1", next_attempt_at=timezone.now(),
        received_at=timezone.now() - dt.timedelta(1),
        body=b'{"id": "T", "consignee_phone": "9876543210", "items": [{"name": "Asha"}]}',
    )  # fmt: skip
    return account
