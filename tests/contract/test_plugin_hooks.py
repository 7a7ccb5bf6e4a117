"""The functions by which plug-ins use the platform's tables."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from couriers.models import CourierToken
from couriers.models import plugin_hooks as hooks
from couriers.models.plugin_hooks import StoredToken
from tests.support.factories import CourierAccountFactory

pytestmark = pytest.mark.django_db


def token(version: int, text: str = "t") -> StoredToken:
    return StoredToken(
        access_token=text,
        token_type="Bearer",
        expires_at=timezone.now() + dt.timedelta(hours=1),
        login_hash="of-the-login",
        no_newer=False,
        version=version,
    )


def test_a_stored_token_is_loaded_as_it_was_and_hidden_in_its_repr() -> None:
    account = CourierAccountFactory()
    assert hooks.load_token(account.pk) is None
    stored = token(1, "a-secret-token")
    assert hooks.store_token(account.pk, stored)
    assert hooks.load_token(account.pk) == stored
    assert "a-secret-token" not in repr(stored)
    assert hooks.load_token(CourierAccountFactory().pk) is None


def test_a_token_is_stored_only_over_the_version_before_it() -> None:
    account = CourierAccountFactory()
    assert not hooks.store_token(account.pk, token(2)), "there is no version 1 yet"
    assert hooks.store_token(account.pk, token(1, "first"))
    assert not hooks.store_token(account.pk, token(1, "another first"))
    assert hooks.store_token(account.pk, token(2, "second"))
    assert not hooks.store_token(account.pk, token(2, "late second"))
    assert not hooks.store_token(account.pk, token(4, "too far ahead"))
    row = CourierToken.objects.get()
    assert (row.access_token, row.version) == ("second", 2)
