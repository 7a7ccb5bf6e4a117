"""How the work lists look: dead callbacks, which are replayed, and endpoints that are disabled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.utils.timesince import timesince

from couriers.admin.base import admin_url
from couriers.admin.worklists.looks import Link, Looks, RowAct, register
from couriers.contract.masking import mask_text
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.outbox import endpoints
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


def _endpoint_cells(
    rows: Sequence[WebhookEndpoint], model_admin: admin.ModelAdmin
) -> Mapping[Any, Any]:
    page = "shipcrowd_webhooks_webhookendpoint_change"
    return {
        one.pk: (
            Link(admin_url(model_admin, page, one.pk), one.shown_url),
            str(one.company),
            one.get_disabled_by_display(),
            str(one.failures),
            _age(one.failing_since),
            _age(one.disabled_at),
        )
        for one in rows
    }


def _age(since: dt.datetime | None) -> str:
    return timesince(since, depth=1) if since else ""


def _enable(rows: Sequence[WebhookEndpoint], actor: AbstractBaseUser, reason: str) -> str:
    return f"{_count(rows, partial(endpoints.enable, actor=actor, reason=reason))} enabled."


def _leave(rows: Sequence[WebhookEndpoint], actor: AbstractBaseUser, reason: str) -> str:
    done = _count(rows, partial(endpoints.leave_disabled, actor=actor, reason=reason))
    return f"{done} left disabled."


def _count(rows: Sequence[WebhookEndpoint], act: Callable[[WebhookEndpoint], bool]) -> str:
    """Do it to each row that its merchant has not enabled or deleted meanwhile; say to how many."""
    count = 0
    for one in rows:
        with suppress(WebhookEndpoint.DoesNotExist):
            count += act(one)
    return f"{count} endpoint{'' if count == 1 else 's'}"


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
register(
    "endpoints",
    Looks(
        ("Endpoint", "Company", "Why", "Failures", "Failing for", "Disabled for"), _endpoint_cells,
        ("company",),
        row_acts=(
            RowAct(
                "enable", "Enable", endpoints.PERMISSION,
                "Each is sent what has happened since it was disabled.", _enable,
                needs_reason=True,
            ),
            RowAct(
                "leave", "Leave disabled", endpoints.PERMISSION,
                "They are sent nothing, and leave this list. The merchant enables them over the "
                "API, or you do on the endpoint's page.", _leave, needs_reason=True,
            ),
        ),
    ),
)  # fmt: skip
