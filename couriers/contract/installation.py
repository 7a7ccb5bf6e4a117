"""The base of the apps' configurations: what an app needs is checked before any model is loaded.

Models of a missing app cannot be imported, so a project without it would end in a RuntimeError
deep in some module, before Django runs its system checks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from couriers.contract.registry import CourierFactory

MISSING_APP = "couriers.E010"
EXIT_CODE = 3  # gunicorn stops for this one, and would start a worker again for any other


class MissingApps(SystemExit):
    """An app is missing in INSTALLED_APPS. The process ends with the checks' messages.

    It is no Exception, so that a command, a worker or a web server prints the messages alone.
    """

    def __init__(self, problems: list[CheckMessage]) -> None:
        listed = "\n".join(str(problem) for problem in problems)
        sys.stderr.write(f"System check identified some issues:\n\nERRORS:\n{listed}\n")
        super().__init__(EXIT_CODE)


class ShipcrowdAppConfig(AppConfig):
    """The configuration of one of the platform's apps, or of a courier's plug-in."""

    default_auto_field = "django.db.models.BigAutoField"
    # What the app needs in INSTALLED_APPS: the names of apps, each with its purpose.
    required_apps: ClassVar[Mapping[str, str]] = {}
    # Django looks for the one configuration of an app's module, where this class is imported, too.
    default = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.default = cls.__dict__.get("default", True)

    def __init__(self, app_name: str, app_module: ModuleType) -> None:
        problems = missing_apps(app_name, self.required_apps, settings.INSTALLED_APPS)
        if problems:
            raise MissingApps(problems)
        super().__init__(app_name, app_module)


class CourierAppConfig(ShipcrowdAppConfig):
    """The configuration of a courier's plug-in, which is registered when Django is ready.

    `adapters` and `receiver` are the paths of classes, as `couriers_acme.adapter.AcmeAdapter`: the
    adapter (or several, of a courier in several forms), and the receiver of the callbacks, if any.
    """

    default = False
    required_apps: ClassVar[Mapping[str, str]] = {
        "couriers": "it is the platform that the plug-in serves"
    }
    adapters: ClassVar[Sequence[str]]
    receiver: ClassVar[str] = ""

    def ready(self) -> None:
        receiver = import_string(self.receiver)() if self.receiver else None
        for path in self.adapters:
            CourierFactory.register(import_string(path), receiver)


def missing_apps(
    app_name: str, required: Mapping[str, str], installed: Iterable[str]
) -> list[CheckMessage]:
    """couriers.E010: return an error for each required app that is not among the installed."""
    names = {_name_of(entry) for entry in installed}
    return [
        Error(
            f"{name!r} is not in INSTALLED_APPS, and {app_name} needs it: {purpose}.",
            hint=f"Add {name!r} to INSTALLED_APPS.",
            id=MISSING_APP,
        )
        for name, purpose in required.items()
        if name not in names
    ]


def _name_of(entry: str) -> str:
    """Return the app of an entry of INSTALLED_APPS, which may be the path of an AppConfig."""
    try:
        config = import_string(entry)
    except ImportError:
        return entry
    is_config = isinstance(config, type) and issubclass(config, AppConfig)
    return str(config.name) if is_config else entry
