"""Booked parcels of the chaos' account, for callbacks to tell of."""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    django.setup()
    from couriers.models import CourierAccount
    from tests.support.parcels import make_parcels

    made = make_parcels(CourierAccount.objects.get(), int(os.environ["PARCELS"]))
    json.dump({"tracking_ids": sorted(made)}, sys.stdout)


if __name__ == "__main__":
    main()
