"""Shipments and their scans."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from couriers.contract.statuses import (
    RELEASES_ORDER,
    RTO,
    STATUS_FACTS,
    UNDER_WAY,
    UNSETTLED,
    Status,
    StatusFacts,
)
from couriers.contract.types import MAX_SERVICE, Direction, PaymentMode
from couriers.models.account import Courier, CourierAccount
from couriers.models.company import Company
from couriers.models.fields import MAX_ERROR_TEXT, EncryptedJSONField, EncryptedTextField
from couriers.models.ids import new_shipment_id
from couriers.models.modes import mode_field
from couriers.models.phones import PhoneHashField
from couriers.models.shipment_indexes import FILTERS, FINDING, STOREFRONT, TODAY
from couriers.models.warehouse import Warehouse

# The last news of a shipment or the last time it was asked about, whichever is later. GREATEST
# leaves out a null, so one that was never asked about has the time of its news.
LAST_CONTACT = Greatest(Coalesce("tracked_at", "created_at"), "polled_at")


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    """Queries for the shipments of an order."""

    def live(self) -> "ShipmentQuerySet":
        """Return the shipments that prevent another one of their order."""
        return self.exclude(status__in=RELEASES_ORDER)

    def same_order_as(self, shipment: "Shipment") -> "ShipmentQuerySet":
        """Return all shipments of the shipment's order in its direction, whichever courier."""
        return self.of_order(
            shipment.company_id, shipment.direction, shipment.order_number, is_test=shipment.is_test
        )

    def of_order(
        self, company_id: int, direction: str, order_number: str, *, is_test: bool
    ) -> "ShipmentQuerySet":
        """Return all shipments of an order of the company in one direction, whichever courier."""
        return self.filter(
            company_id=company_id,
            direction=direction,
            order_number=order_number,
            is_test=is_test,
        )


class Shipment(models.Model):
    """One parcel of one order with one courier.

    Money is in rupees, weight in grams, sizes in centimetres. By `phone_hash` the shipments of a
    phone are found. `erased_at` is set once the consignee and every free text have been erased
    (operations/erasure.py); nothing may write them again. `attempt` counts the attempts to book, by
    which the late answer of an earlier one is recognised (models/attempt.py). An attempt that has
    not ended by `lease_expires_at` is in doubt. A parcel that the courier recreated under a new
    tracking id keeps its former ids. `warnings` holds what was likely wrong with the order when it
    was booked: objects with `field`, `code` and `message`. `charges` is what the courier asks for
    it (couriers.booking.charges), or None where it did not say. `price_booked` is the company's
    price of that, `price_quoted` that of the quote by which it was booked. `choice` is why the
    rules chose its courier, or None. `metadata` is the merchant's own, texts by name. An order has
    one live shipment in a direction and mode; `live_beside_another` marks one from before that.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_shipment_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="shipments")
    account = models.ForeignKey(CourierAccount, on_delete=models.PROTECT, related_name="shipments")
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="+")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="+")
    original = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="returns"
    )
    is_test = mode_field("Booked with a test key: no parcel, no bill, purged after a time.")
    direction = models.CharField(max_length=10, choices=Direction, default=Direction.FORWARD)
    order_number = models.CharField(max_length=100)
    order_date = models.DateField()

    status = models.CharField(max_length=30, choices=Status, default=Status.BOOKING)
    courier_status = models.CharField(max_length=100, blank=True)
    ndr_reason = models.CharField("NDR reason", max_length=100, blank=True)
    status_at = models.DateTimeField("status since", null=True, blank=True)
    failure = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)

    attempt = models.PositiveIntegerField(default=1)
    attempt_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    tracking_id = models.CharField(max_length=100, blank=True)
    former_tracking_ids = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, editable=False
    )
    live_beside_another = models.BooleanField(default=False, editable=False)
    recreated_at = models.DateTimeField(
        "recreated", null=True, blank=True, help_text="When the courier gave it another id."
    )
    waybill = models.CharField(max_length=100, blank=True)
    vendor = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=MAX_SERVICE, blank=True)
    courier_order_id = models.CharField(
        "courier's order id", max_length=100, blank=True, default="", db_default=""
    )
    courier_tracking_url = models.CharField(
        "courier's tracking page", max_length=1000, blank=True, default="", db_default=""
    )
    charges = models.JSONField(null=True, blank=True)
    price_booked = models.JSONField(null=True, blank=True, editable=False)
    price_quoted = models.JSONField(null=True, blank=True, editable=False)
    choice = models.JSONField(null=True, blank=True, editable=False)

    payment_mode = models.CharField(max_length=10, choices=PaymentMode)
    cod_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    taxable_amount = models.DecimalField(max_digits=12, decimal_places=2)
    tax_amount = models.DecimalField(max_digits=12, decimal_places=2)
    items = models.JSONField(default=list)
    weight_g = models.PositiveIntegerField()
    length_cm = models.PositiveIntegerField()
    width_cm = models.PositiveIntegerField()
    height_cm = models.PositiveIntegerField()

    consignee_name = models.CharField(max_length=200)
    consignee_phone = EncryptedTextField()
    phone_hash = PhoneHashField(phone_field="consignee_phone", default="")
    consignee_address = EncryptedTextField()
    consignee_landmark = EncryptedTextField(null=True, blank=True)
    consignee_email = EncryptedTextField("consignee's e-mail", null=True, blank=True)
    consignee_city = models.CharField(max_length=100)
    consignee_state = models.CharField(max_length=100)
    consignee_pincode = models.CharField(max_length=6)

    options = EncryptedJSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, db_default={}, blank=True)
    return_reason = models.CharField(max_length=300, blank=True)
    invoice_number = models.CharField(max_length=100, blank=True, default="", editable=False)
    invoice_date = models.DateField(null=True, blank=True, editable=False)
    warnings = models.JSONField(default=list, blank=True)
    estimated_delivery = models.DateTimeField(null=True, blank=True)
    delivery_attempts = models.PositiveSmallIntegerField(null=True, blank=True)
    booked_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(
        "confirmed by callback", null=True, blank=True, help_text="When the courier said so itself."
    )
    tracked_at = models.DateTimeField("last news", null=True, blank=True)
    polled_at = models.DateTimeField("last asked about", null=True, blank=True)
    erased_at = models.DateTimeField(
        "consignee erased", null=True, blank=True, help_text="When the personal data was erased."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        permissions = [
            ("settle_doubt", "Can settle bookings in doubt"),
            ("lift_status", "Can lift the end of a shipment"),
            ("act_on_shipment", "Can ask couriers to act on shipments"),
            ("view_consignee", "Can see phones and addresses of consignees"),
            ("view_amounts", "Can see amounts and charges"),
            ("export_rows", "Can export lists"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "direction", "order_number", "is_test"],
                condition=~Q(status__in=sorted(RELEASES_ORDER)) & Q(live_beside_another=False),
                name="couriers_one_live_shipment",
            ),
            models.UniqueConstraint(
                fields=["account", "tracking_id"],
                condition=~Q(tracking_id=""),
                name="couriers_one_shipment_per_tracking_id",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="couriers_shipment_status_known"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=Direction.values), name="couriers_direction_known"
            ),
            models.CheckConstraint(
                condition=Q(payment_mode__in=PaymentMode.values), name="couriers_payment_known"
            ),
            models.CheckConstraint(
                condition=Q(total_amount=F("taxable_amount") + F("tax_amount")),
                name="couriers_amounts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(cod_amount__gte=0) & Q(tax_amount__gte=0) & Q(taxable_amount__gte=0),
                name="couriers_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(weight_g__gt=0)
                & Q(length_cm__gt=0)
                & Q(width_cm__gt=0)
                & Q(height_cm__gt=0),
                name="couriers_parcel_has_size",
            ),
            # In any other status the courier has the shipment, so there is a tracking id.
            models.CheckConstraint(
                condition=Q(status__in=[*UNSETTLED, Status.FAILED]) | ~Q(tracking_id=""),
                name="couriers_booked_has_tracking_id",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.BOOKING) | Q(lease_expires_at__isnull=False),
                name="couriers_booking_has_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-id"], name="couriers_ship_company_id"),
            models.Index(fields=["company", "status", "-id"], name="couriers_ship_status"),
            models.Index(fields=["company", "order_number"], name="couriers_ship_order"),
            models.Index(fields=["account", "order_number"], name="couriers_ship_acc_order"),
            models.Index(fields=["account", "booked_at"], name="couriers_ship_acc_booked"),
            models.Index(
                fields=["company", "phone_hash"],
                condition=~Q(phone_hash=""),
                name="couriers_ship_phone",
            ),
            # Ids sort by time of creation, so the oldest that are not erased come first.
            models.Index(
                fields=["id"], condition=Q(erased_at__isnull=True), name="couriers_ship_unerased"
            ),
            GinIndex(
                fields=["former_tracking_ids"],
                condition=~Q(former_tracking_ids=[]),
                name="couriers_ship_former_ids",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(status__in=list(UNSETTLED)),
                name="couriers_ship_unsettled",
            ),
            models.Index(
                F("account"),
                LAST_CONTACT,
                F("id"),
                condition=Q(status__in=sorted(UNDER_WAY)),
                name="couriers_ship_poll_due",
            ),
            *TODAY,
            *FINDING,
            *FILTERS,
            *STOREFRONT,
        ]

    def __str__(self) -> str:
        return f"{self.order_number} ({self.get_status_display()})"

    @property
    def facts(self) -> StatusFacts:
        """Return what the shipment's status means, for example which actions it allows."""
        return STATUS_FACTS[Status(self.status)]


class Scan(models.Model):
    """One scan of a parcel, stored once. `at` is the courier's time.

    The courier's status is its word, and where it has them a type and a code, which are "" where it
    has none. `status` is empty where the plug-in does not know it: the scan is kept but changes
    nothing. `tracking_id` is the id under which the courier sent it. A scan is `ignored`
    when it is later than a terminal one. A terminal scan is `lifted` when an operator has decided
    that it is wrong.
    """

    # No index of its own: the unique constraint's index begins with the shipment.
    shipment = models.ForeignKey(
        Shipment, on_delete=models.CASCADE, related_name="scans", db_index=False
    )
    tracking_id = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    status = models.CharField(max_length=30, choices=Status, blank=True)
    courier_type = models.CharField(max_length=30, blank=True, default="", db_default="")
    courier_status = models.CharField(max_length=100)
    courier_code = models.CharField(max_length=50, blank=True, default="", db_default="")
    ndr_reason = models.CharField("NDR reason", max_length=100, blank=True)
    location = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=500, blank=True)
    estimated_delivery = models.DateTimeField(null=True, blank=True)
    ignored = models.BooleanField(default=False)
    lifted = models.BooleanField(default=False)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "shipment",
                    "at",
                    "courier_type",
                    "courier_status",
                    "courier_code",
                    "location",
                ],
                name="couriers_scan_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                include=["shipment"],
                condition=Q(status=""),
                name="couriers_scan_unknown",
            ),
            models.Index(
                fields=["at"],
                include=["shipment"],
                condition=Q(status=Status.UNDELIVERED, ignored=False, lifted=False),
                name="couriers_scan_undelivered",
            ),
            models.Index(
                fields=["at"],
                include=["shipment"],
                condition=Q(status__in=sorted(RTO), ignored=False, lifted=False),
                name="couriers_scan_returned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.courier_status}"
