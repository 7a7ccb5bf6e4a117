"""Booked parcels of the chaos' account, for callbacks to tell of."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys

import django


def main() -> None:
    django.setup()
    from couriers.models import CourierAccount, Shipment
    from couriers.statuses import Status
    from couriers.types import PaymentMode

    account = CourierAccount.objects.get()
    warehouse = account.company.warehouses.get()
    made = Shipment.objects.bulk_create(
        [
            Shipment(
                company_id=account.company_id, account=account, courier_id=account.courier_id,
                warehouse=warehouse, order_number=f"C-{number}", order_date=dt.date(2026, 11, 23),
                status=Status.BOOKED, tracking_id=f"C{number:07d}",
                payment_mode=PaymentMode.PREPAID, total_amount=112, taxable_amount=100,
                tax_amount=12, weight_g=240, length_cm=30, width_cm=22, height_cm=8,
                consignee_name="Asha Sample", consignee_phone="9876543210",
                consignee_address="9, Example Street", consignee_city="Pune",
                consignee_state="Maharashtra", consignee_pincode="411004",
            )
            for number in range(int(os.environ["PARCELS"]))
        ]
    )  # fmt: skip
    json.dump({"tracking_ids": sorted(one.tracking_id for one in made)}, sys.stdout)


if __name__ == "__main__":
    main()
