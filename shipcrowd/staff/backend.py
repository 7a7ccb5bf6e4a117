"""Loads the user of a session, with whether they have switched a second factor on."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Exists, OuterRef
from django_otp.plugins.otp_totp.models import TOTPDevice


class StaffBackend(ModelBackend):
    """Django's own backend, whose users have `has_second_factor`.

    It is asked for at each request of staff, so it is part of the statement that loads the user.
    """

    def get_user(self, user_id: Any) -> Any:
        """Return the active user with this key, or None."""
        switched_on = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        users = get_user_model()._default_manager.annotate(has_second_factor=Exists(switched_on))
        user = users.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
