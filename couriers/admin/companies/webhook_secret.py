"""The page that gives an account a new webhook secret, as `register_webhooks --rotate-secret` does.

The secret is made by the platform. Nobody sees it, except where a person must tell the courier.
"""

from __future__ import annotations

import datetime as dt
import time
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.decorators import action

from couriers.admin.base import PageAdmin, admin_url
from couriers.admin.companies.account_pages import (
    CHANGE_ACCOUNT,
    ReasonForm,
    account_page,
    account_url,
    render_decision,
)
from couriers.conf import tunables
from couriers.contract.errors import CourierError
from couriers.contract.logins import Webhook
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from couriers.models.addresses import NoAddress
from couriers.models.fields import readable_or
from couriers.operations.account_checks import keep_registration
from couriers.operations.decisions import record_decision
from couriers.operations.webhook_registration import (
    HANDOVER,
    NoReceiver,
    SecretChanged,
    SecretStillChanging,
    is_by_hand,
    rotate_by_hand,
    rotate_secret,
    secret_version,
    to_ask_for,
)
from couriers.resilience import waits
from couriers.resilience.lock import LockTimeout

ROTATED = "rotate_webhook_secret"  # the action of the audit entry
CHANGED = (
    "The webhook secret has been changed since this page was opened, so nothing was done. The "
    "history of the account says by whom."
)
NOTHING_STORED = (
    "The account has no webhook secret that can be read, so there is none to rotate. Type one on "
    "its page, or register its callbacks in the guided start."
)
RUNNING = "The secret is being rotated just now. Nothing more was done."


class WebhookSecretMixin(PageAdmin):
    """Adds the page to the admin of accounts, and a button to an account."""

    @action(
        description="Rotate the webhook secret",
        url_path="rotate-secret",
        permissions=["rotate_secret"],
    )
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the page."""
        return redirect(admin_url(self, "shipcrowd_rotate_secret", object_id))

    def has_rotate_secret_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown."""
        if not request.user.has_perm(CHANGE_ACCOUNT):
            return False
        account = CourierAccount.objects.filter(pk=object_id).first() if object_id else None
        return account is not None and CourierFactory.receiver(account.courier_id) is not None

    def get_urls(self) -> list[URLPattern]:
        url = account_page(
            self, "secret", "shipcrowd_rotate_secret", CHANGE_ACCOUNT, self._secret_page
        )
        return [url, *super().get_urls()]

    def _secret_page(self, request: HttpRequest, account: CourierAccount) -> HttpResponseBase:
        """Say what will happen, and rotate the secret when the form is sent."""
        back = account_url(self, account)
        stored = readable_or(account, "webhook_secret", None)
        # A person takes the first secret to a courier that has no call for it.
        if stored is None or (not stored and not is_by_hand(account)):
            return render_decision(
                self, request, f"{account}: rotate the webhook secret?", facts=(NOTHING_STORED,),
                form=None, button="", back=back,
            )  # fmt: skip
        form = ReasonForm(request.POST or None, initial={"seen": secret_version(account)})
        if request.method == "POST" and form.is_valid():
            told = self._rotate(request, account, form)
            if told:
                return self._show(request, account, told)
            return redirect(back)
        what = "rotate the webhook secret" if stored else "make the webhook secret"
        return render_decision(
            self, request, f"{account}: {what}?", facts=_facts(account), form=form,
            button="Rotate the secret" if stored else "Make the secret", back=back,
        )  # fmt: skip

    def _rotate(
        self, request: HttpRequest, account: CourierAccount, form: ReasonForm
    ) -> list[Webhook]:
        """Rotate the secret; return what a person must tell the courier, [] for nothing."""
        assert request.user.is_authenticated
        seen, reason = form.cleaned_data["seen"], form.cleaned_data["reason"]
        record = partial(
            record_decision, account, request.user, ROTATED, reason, {"account": account.pk}
        )
        try:
            with waits.limit_sum():
                if is_by_hand(account):
                    return rotate_by_hand(account, settle=time.sleep, seen=seen, record=record)
                done = rotate_secret(account, settle=time.sleep, seen=seen, record=record)
        except SecretChanged:
            messages.warning(request, CHANGED)
        except LockTimeout:
            messages.warning(request, RUNNING)
        except SecretStillChanging:
            messages.error(request, _still_changing(account))
        except (NoAddress, NoReceiver) as error:
            messages.error(request, f"Nothing was done: {error}.")
        except CourierError as error:
            messages.error(request, _half_done(account, seen, error))
        else:
            account.refresh_from_db()
            keep_registration(account, done.url, request.user)
            text = f"{account.courier} signs with a new secret from now on. {_until(account)}"
            messages.success(request, text.strip())
        return []

    def _show(
        self, request: HttpRequest, account: CourierAccount, told: list[Webhook]
    ) -> HttpResponseBase:
        """Show the new secret once, on the page that answers the form."""
        headers = {one.url: one.header for one in to_ask_for(account)}
        account.refresh_from_db()
        facts = (
            f"{account.courier} has no call for it: have {account.courier} use these. The secret "
            "is shown this once.",
            _until(account),
        )
        return render_decision(
            self, request, f"{account}: the new webhook secret", facts=facts, form=None,
            button="", back=account_url(self, account),
            template="admin/shipcrowd_couriers/new_secret.html",
            told=[(one.url, headers.get(one.url, ""), one.secret) for one in told],
        )  # fmt: skip


def _facts(account: CourierAccount) -> tuple[str, ...]:
    seconds = round(tunables().WEBHOOK_ACCOUNT_CACHE + 1)
    name = account.courier.name
    valid = _hours(tunables().WEBHOOK_PREVIOUS_SECRET_SECONDS)
    if not account.webhook_secret:
        return (
            "The platform makes a secret, and shows it to you once.",
            f"You have {name} send it with each callback.",
        )
    if is_by_hand(account):
        return (
            "The platform makes a new secret, and shows it to you once.",
            f"You have {name} use it. Callbacks signed with the present one are accepted for "
            f"another {HANDOVER.days} days and {valid}.",
            _until(account),
        )
    return (
        f"The platform makes a new secret, and has {name} sign with it. Nobody sees it.",
        f"Callbacks that are signed with the present one are accepted for another {valid}.",
        f"It takes about {seconds} second{'' if seconds == 1 else 's'}: every web server learns "
        f"of it before {name} does.",
        _until(account),
    )


def _hours(seconds: float) -> str:
    hours = round(seconds / 3600)
    return f"{hours} hours" if hours > 1 else f"{round(seconds / 60)} minutes"


def _until(account: CourierAccount) -> str:
    """Return until when the former secret is valid."""
    until = account.previous_webhook_secret_until
    return f"The secret before the present one: {until_text(until)}." if until else ""


def until_text(until: dt.datetime) -> str:
    """Return until when a secret is valid, or when it ended."""
    time = f"{date_format(localtime(until), 'j M Y, H:i')} {localtime(until).tzname()}"
    return f"valid until {time}" if timezone.now() < until else f"ended on {time}"


def _still_changing(account: CourierAccount) -> str:
    return (
        f"Nothing was done: the former secret is still valid, and {account.courier} may still use "
        "it. Once the courier has the present one, run register_webhooks --forget-previous."
    )


def _half_done(account: CourierAccount, seen: str, error: CourierError) -> str:
    """Return what came of a rotation in which the courier failed."""
    if secret_version(account) == seen:
        return f"Nothing was changed. {account.courier} said: {error.reason}."
    return (
        f"A new secret is stored, but {account.courier} was not told: {error.reason}. Callbacks "
        "go on with the former one, which stays valid for a day. Rotate again before that."
    )
