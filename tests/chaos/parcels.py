"""Run as a module, creates PARCELS booked shipments and prints their tracking ids as JSON."""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    django.setup()
    from couriers.models import CourierAccount
    from tests.support.parcels import make_parcels

    tracking_ids = make_parcels(CourierAccount.objects.get(), int(os.environ["PARCELS"]))
    json.dump({"tracking_ids": sorted(tracking_ids)}, sys.stdout)


if __name__ == "__main__":
    main()
