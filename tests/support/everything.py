"""One row of every model, with secrets that no page may show."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.contrib.auth import get_user_model
from django.utils import timezone

from couriers.booking.protocol import book
from couriers.contract.masking import mask_text
from couriers.contract.types import ShipmentDraft
from couriers.models import (
    AccountCheck,
    Assignment,
    AuditEntry,
    BookingAttempt,
    BulkJob,
    BulkOrder,
    BulkTurn,
    CallbackTally,
    CompanyLogo,
    CourierAccount,
    CourierPerformance,
    CourierRule,
    CourierToken,
    DayFigure,
    DoubtInquiry,
    FailOver,
    FlagKind,
    LabelJob,
    Manifest,
    ManifestChunk,
    OperatorJob,
    OperatorJobItem,
    ParcelCancel,
    Product,
    ReservedId,
    Scan,
    ServiceablePincode,
    Shipment,
    ShipmentAction,
    ShipmentNote,
    StaffScope,
    StoredDocument,
    WarehousePickup,
    WarehouseRegistration,
)
from couriers.models.flag import raise_flag
from tests.support.drafts import DRAFT
from tests.support.factories import make_api_key
from webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

LOGIN = {"username": "user-is-secret", "password": "password-is-secret"}
SECRETS = LOGIN | {
    "webhook_secret": "hook-is-secret",
    "previous_webhook_secret": "old-hook-is-secret",
}
ENDPOINT_SECRETS = {"secret": "whsec_is-secret", "previous_secret": "whsec_old-is-secret"}
WHOLE_DRAFT = dataclasses.replace(
    DRAFT,
    options={"alternate_phone": "9123456780"},
    consignee=dataclasses.replace(
        DRAFT.consignee, landmark="near the secret gate", email="secret@consignee.example"
    ),
    metadata={"gift": "to 9123456780"},
)


def make_everything(account: CourierAccount, draft: ShipmentDraft = WHOLE_DRAFT) -> CourierAccount:
    """Create at least one row of every model. The account is one of the toy courier."""
    account.login |= LOGIN
    for name in SECRETS.keys() - LOGIN.keys():
        setattr(account, name, SECRETS[name])
    account.previous_webhook_secret_at = timezone.now()
    account.save()
    make_api_key(account.company, is_test=account.is_test)
    CompanyLogo.objects.get_or_create(
        company=account.company,
        defaults={
            "content": b"x", "content_type": "image/png", "digest": "0" * 32, "width": 48,
            "height": 16,
        },
    )  # fmt: skip
    shipment = book(account.company, draft, is_test=account.is_test).shipment
    CourierToken.objects.create(
        account=account, access_token="token-is-secret", expires_at=timezone.now()
    )
    CallbackTally.objects.create(account=account, refused_at=timezone.now(), refused_count=3)
    DayFigure.objects.get_or_create(
        day=timezone.localdate(), company=account.company, courier=account.courier,
        defaults={"booked": 1, "counted_at": timezone.now()},
    )  # fmt: skip
    CourierPerformance.objects.get_or_create(
        month=timezone.localdate().replace(day=1), company=account.company,
        courier=account.courier, defaults={"booked": 1, "counted_at": timezone.now()},
    )  # fmt: skip
    AccountCheck.objects.create(
        account=account, kind="login", outcome="refused", said="no such user", about="x"
    )
    DoubtInquiry.objects.create(shipment=shipment, attempt=1, asked=1, last_answer="absent")
    attempt = BookingAttempt.objects.create(
        shipment=shipment, number=1, account=account, courier=account.courier, outcome="rejected",
        reason=mask_text("no to 9123456780"), started_at=timezone.now(), ended_at=timezone.now(),
        tracking_id="LATE", found_at=timezone.now(),
    )  # fmt: skip
    Shipment.objects.filter(pk=shipment.pk).update(attempt=2)
    ParcelCancel.objects.create(
        attempt=attempt,
        state="done",
        words=mask_text("cancelled for 9123456780"),
        ended_at=timezone.now(),
    )
    # Not due: a worker of the project would drop it.
    later = timezone.now() + dt.timedelta(minutes=10)
    FailOver.objects.create(shipment=shipment, attempt=1, next_attempt_at=later)
    ReservedId.objects.create(
        account=account, courier=account.courier,
        number=f"N-{ReservedId.objects.count() + 1}", fetched_at=timezone.now(),
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
    job = BulkJob.objects.create(company=account.company, is_test=account.is_test, total=1)
    BulkOrder.objects.create(
        job=job, position=0, order_number="A-1", request="9, Secret Lane, 9876543210"
    )
    BulkTurn.objects.get_or_create(company=account.company)
    LabelJob.objects.create(
        company=account.company, is_test=account.is_test, shipments=[shipment.pk],
        page_format="a4", state="done", file="label-jobs/x.pdf",
        file_key=b"file-key-is-secret", finished_at=timezone.now(),
    )  # fmt: skip
    StoredDocument.objects.create(
        shipment=shipment, tracking_id="T", file="labels/x.pdf",
        link="https://store.example/x.pdf?link-is-secret",
    )  # fmt: skip
    ServiceablePincode.objects.get_or_create(
        courier=account.courier, pincode="560001", serviceable=True,
        defaults={"loaded_at": timezone.now()},
    )  # fmt: skip
    AuditEntry.objects.create(company=account.company, shipment=shipment, action="x", reason="y")
    account.courier.rollout_companies.add(account.company)
    CourierRule.objects.create(
        company=account.company, is_test=account.is_test, name=f"Rule of {account.pk}",
        strategy="priority", couriers=[{"courier": account.courier_id}],
    )  # fmt: skip
    Product.objects.create(
        company=account.company, is_test=account.is_test, sku="MUG-11", name="Mug", hsn_code="6912"
    )
    _make_staff(account, shipment)
    _make_webhooks(account, shipment)
    return account


def _make_staff(account: CourierAccount, shipment: Shipment) -> None:
    """Create members of staff, and what they have asked and written."""
    users = get_user_model()
    name = f"operator-{account.pk}"
    staff = users._default_manager.create(**{users.USERNAME_FIELD: name})
    Assignment.objects.create(shipment=shipment, user=staff)
    ShipmentNote.objects.create(shipment=shipment, author=staff, text="call 9123456780 first")
    asked = OperatorJob.objects.create(
        actor=staff, act="address", token=f"t-{account.pk}", asked={"phone": "9123456780"}
    )
    OperatorJobItem.objects.create(job=asked, position=1, shipment=shipment)
    clerk = users._default_manager.create(**{users.USERNAME_FIELD: f"clerk-{account.pk}"})
    StaffScope.objects.create(user=clerk).companies.add(account.company)


def _make_webhooks(account: CourierAccount, shipment: Shipment) -> None:
    """Create a callback, and an endpoint with a delivery."""
    WebhookEvent.objects.create(
        account=account, content_hash=b"1", next_attempt_at=timezone.now(),
        received_at=timezone.now() - dt.timedelta(1),
        body=b'{"id": "T", "consignee_phone": "9876543210", "items": [{"name": "Asha"}]}',
    )  # fmt: skip
    endpoint = WebhookEndpoint.objects.create(
        company=account.company, is_test=account.is_test,
        url="https://shop.example/hook?token=url-is-secret",
        **ENDPOINT_SECRETS,
    )  # fmt: skip
    WebhookDelivery.objects.create(
        endpoint=endpoint, event=shipment.events.earliest("number"), position=1,
        ordered_by=shipment.pk, status_code=500, answer="sorry",
    )  # fmt: skip
