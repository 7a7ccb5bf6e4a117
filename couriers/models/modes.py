"""Test and live: two sets of a company's rows, which never meet.

A test key sees and makes test rows alone, a live key live ones. Test rows are booked with the
company's test accounts, are never billed, and are purged (operations/test_rows.py).
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from couriers.contract.origins import is_one_of
from couriers.contract.registry import CourierFactory


def mode_field(help_text: str = "") -> Any:
    """Return the column that says whether a row is a test row. A row never changes its mode."""
    return models.BooleanField("test", default=False, db_default=False, help_text=help_text)


def refuse_live_server(account: Any) -> None:
    """Raise ValidationError for a test account at its courier's live server, as its plug-in says.

    Any other server is one on which a booking moves no parcel, by the word of whoever made the
    account a test account.
    """
    if not account.is_test or account.courier_id not in CourierFactory.codes():
        return
    hosts = CourierFactory.adapter_class(account.courier_id).live_hosts
    if is_one_of(account.base_url, hosts):
        raise ValidationError(
            {"is_test": "the base URL is the courier's live server, where a booking moves a parcel"}
        )
