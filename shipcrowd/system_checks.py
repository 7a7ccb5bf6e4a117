"""System checks of the project's own settings, which come from the environment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from shipcrowd.staff.policies import POLICIES


@register(deploy=True)
def check_secrets(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.E001: secrets of development are used where DEBUG is off."""
    if settings.DEBUG or not settings.MADE_UP_SECRETS:
        return []
    names = " and ".join(settings.MADE_UP_SECRETS)
    return [
        Error(
            f"{names} of the development servers would be used: the environment has none. They lie "
            "in this folder, beside the data",
            hint="Set each to a long random string of its own, and DATABASE_URL and REDIS_URL.",
            id="shipcrowd.E001",
        )
    ]


@register()
def check_second_factor(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.E002: STAFF_TOTP is none of its values."""
    if settings.STAFF_TOTP in POLICIES:
        return []
    return [
        Error(
            f"STAFF_TOTP is {settings.STAFF_TOTP!r}, not one of {', '.join(POLICIES)}",
            hint="Write one of them, or leave it out for 'optional'.",
            id="shipcrowd.E002",
        )
    ]


@register()
def check_metrics_folder(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """shipcrowd.W030: the folder in which processes add up their metrics cannot be written."""
    if not settings.METRICS_FOLDER_PROBLEM:
        return []
    return [
        checks.Warning(
            settings.METRICS_FOLDER_PROBLEM,
            hint="Give the user of the processes a folder that it may write; until then each shows "
            "its own metrics alone.",
            id="shipcrowd.W030",
        )
    ]
