"""The second factor of staff: a code of an authenticator app (TOTP), or a recovery code.

STAFF_TOTP says who needs one: `off` nobody; `optional` whoever has switched it on; `required` all
staff, who can do nothing but switch it on until they have.
"""

from __future__ import annotations

from typing import Any

import segno
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shipcrowd.staff.policies import OFF, POLICIES, REQUIRED

RECOVERY_CODES = 10
NAME = "Authenticator"
CODE_DIGITS = 6


def policy() -> str:
    """Return who needs a second factor: all staff where STAFF_TOTP is misspelt."""
    return settings.STAFF_TOTP if settings.STAFF_TOTP in POLICIES else REQUIRED


def app_of(user: Any) -> TOTPDevice | None:
    """Return the authenticator that the user has switched on, or None."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).order_by("pk").first()


def must_verify(user: Any) -> bool:
    """Whether the user of a session, who gave a password alone, needs a second factor."""
    if policy() == OFF or user.is_verified():
        return False
    return policy() == REQUIRED or user.has_second_factor


def verified(user: Any, code: str) -> Device | None:
    """Return what the code is of: the user's authenticator or recovery codes; None if it is wrong.

    A code is good once. After a wrong one further codes are refused for a second, then two, four
    and so on. The kind of the code chooses, so that a wrong one holds back only its own kind.
    """
    code = "".join(code.split()).lower()
    is_of_app = code.isascii() and code.isdigit() and len(code) == CODE_DIGITS
    kind = TOTPDevice if is_of_app else StaticDevice
    device = kind.objects.filter(user=user, confirmed=True).order_by("pk").first()
    return verify_token(user, device.persistent_id, code) if device and code else None


def pending_app(user: Any) -> TOTPDevice:
    """Return the authenticator that the user is about to switch on, with its secret."""
    with transaction.atomic():
        get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
        found = TOTPDevice.objects.filter(user=user, confirmed=False).order_by("pk").first()
        return found or TOTPDevice.objects.create(user=user, name=NAME, confirmed=False)


def switch_on(user: Any, code: str) -> Device | None:
    """Switch the pending authenticator on, if the code is its own; return it, or None."""
    device = verify_token(user, pending_app(user).persistent_id, code)
    if device is not None:
        device.confirmed = True
        device.save(update_fields=["confirmed"])
    return device


def switch_off(user: Any) -> None:
    """Take the user's second factor away, with the recovery codes."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()


def new_recovery_codes(user: Any) -> list[str]:
    """Replace the user's recovery codes; return the new ones, which are good once each."""
    with transaction.atomic():
        get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="Recovery codes")
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def recovery_codes_left(user: Any) -> int:
    """Return how many recovery codes the user has not used."""
    return StaticToken.objects.filter(device__user=user).count()


def qr_code(device: TOTPDevice) -> str:
    """Return the image that an authenticator app reads, as a data: URI."""
    return str(segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=2))
