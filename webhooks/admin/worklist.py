"""How the work list of dead callbacks looks. They are replayed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.utils.timesince import timesince

from couriers.admin.base import admin_url
from couriers.admin.worklists.looks import Link, Looks, RowAct, register
from couriers.contract.masking import mask_text
from webhooks.models import WebhookEvent
from webhooks.replay import PERMISSION, replay


def _cells(rows: Sequence[WebhookEvent], model_admin: admin.ModelAdmin) -> Mapping[Any, Any]:
    page = "shipcrowd_webhooks_webhookevent_change"
    return {
        one.pk: (
            Link(admin_url(model_admin, page, one.pk), str(one.pk)),
            str(one.account.company),
            str(one.account.courier),
            one.topic,
            mask_text(one.reason),
            str(one.attempts),
            timesince(one.received_at, depth=1),
        )
        for one in rows
    }


def _replay(rows: Sequence[WebhookEvent], actor: AbstractBaseUser, reason: str) -> str:
    count = replay([one.pk for one in rows], actor=actor)
    return f"{count} callback{'' if count == 1 else 's'} replayed."


register(
    "callbacks",
    Looks(
        ("Callback", "Company", "Courier", "Topic", "Why", "Tries", "Since"), _cells,
        ("account__company", "account__courier"),
        row_acts=(
            RowAct(
                "replay", "Replay", PERMISSION,
                "They are applied once more. Applying one twice changes nothing.", _replay,
            ),
        ),
    ),
)  # fmt: skip
