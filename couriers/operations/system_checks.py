"""System checks of the settings: each names the setting, what is wrong, and what to write."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import DEFAULT_STORAGE_ALIAS, settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, storages
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError
from fernet_fields import EncryptedTextField

from couriers.conf import Tunables, tunable_errors, tunables
from couriers.contract.origins import Reach, origin_problem
from couriers.contract.registry import CourierFactory
from couriers.operations.key_rotation import unreadable_fields
from couriers.rates.pricing import pricing_policy

LEAST_RETENTION = 365  # days


@register()
def check_tunables(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E001: an unknown key of SHIPCROWD. couriers.E002: an invalid value of one."""
    given = getattr(settings, "SHIPCROWD", {})
    return tunable_errors(Tunables, given, "SHIPCROWD", "couriers")


@register()
def check_keys(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E003: there is no list of encryption keys to store and read secrets with."""
    keys = getattr(settings, "FERNET_KEYS", None)
    problem = "is not a list of strings, or it is empty"
    if isinstance(keys, (list, tuple)) and keys and all(isinstance(k, str) and k for k in keys):
        try:
            _ = EncryptedTextField().fernet
        except ValueError as error:  # with the library's own setting FERNET_USE_HKDF = False
            problem = f"cannot be used: {error}"
        else:
            return []
    example = Fernet.generate_key().decode()
    return [
        Error(
            f"FERNET_KEYS {problem}",
            hint=f'Set it to a list of random strings, the first encrypts: ["{example}"]',
            id="couriers.E003",
        )
    ]


@register(checks.Tags.database)
def check_stored_values(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """couriers.W021: FERNET_KEYS do not open what is stored. Only `check --database` asks."""
    if not databases or DEFAULT_DB_ALIAS not in databases:
        return []
    try:
        unreadable = unreadable_fields()
    except (ProgrammingError, OperationalError):  # the tables are not made yet
        return []
    if not unreadable:
        return []
    return [
        checks.Warning(
            f"FERNET_KEYS do not open stored values of {', '.join(unreadable)}",
            hint="Give every process the same list. Keep a former key in it until "
            "`manage.py rotate_keys` has run.",
            id="couriers.W021",
        )
    ]


@register()
def check_lease(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E004: BOOKING_LEASE may end during a create call, which puts a booking in doubt."""
    lease = tunables().BOOKING_LEASE
    return [
        Error(
            f"SHIPCROWD['BOOKING_LEASE'] is {lease:g} s, and a booking with {code} may take "
            f"{adapter.max_create_seconds():g} s",
            hint=f"Set it to more than {adapter.max_create_seconds():g}.",
            id="couriers.E004",
        )
        for code in CourierFactory.codes()
        if (adapter := CourierFactory.adapter_class(code)).max_create_seconds() >= lease
    ]


@register()
def check_retention(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W030: consignees are erased sooner than the law of India lets them be."""
    days = tunables().RETENTION_CONSIGNEE_DAYS
    if days >= LEAST_RETENTION:
        return []
    return [
        checks.Warning(
            f"SHIPCROWD['RETENTION_CONSIGNEE_DAYS'] is {days}, less than a year",
            hint="The DPDP Rules (rule 8) want personal data kept for at least a year from its "
            f"processing. Set it to {LEAST_RETENTION} or more.",
            id="couriers.W030",
        )
    ]


@register()
def check_pricing(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E005: the pricing policy cannot be loaded, so no request for rates is answered."""
    try:
        pricing_policy()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Write the dotted path of a callable, such as "
                f"{Tunables().PRICING!r}, or leave it out.",
                id="couriers.E005",
            )
        ]
    return []


@register()
def check_storage(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E006: the storage of documents cannot be used, so no label can be stored."""
    alias = tunables().STORAGE
    try:
        storages[alias]
    except Exception as error:  # noqa: BLE001 - a backend may raise anything when it is made
        return [
            Error(
                f"SHIPCROWD['STORAGE'] is {alias!r}: {type(error).__name__}: {error}",
                hint="Write an alias of STORAGES whose backend can be imported and takes its "
                f"OPTIONS, or leave it out for {Tunables().STORAGE!r}.",
                id="couriers.E006",
            )
        ]
    return []


@register()
def check_media(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W017 and W020: labels may be public, or are kept in the working directory."""
    if tunables().STORAGE != DEFAULT_STORAGE_ALIAS:
        return []
    given: Any = settings
    hint = "Name a storage that is not public in SHIPCROWD['STORAGE']"
    found: list[CheckMessage] = []
    if given.is_overridden("MEDIA_URL"):
        found.append(
            checks.Warning(
                "Labels, which show consignees' addresses, are kept in the default storage, whose "
                f"files are served below MEDIA_URL, {settings.MEDIA_URL!r}",
                hint=f"{hint}.",
                id="couriers.W017",
            )
        )
    if _is_without_folder(DEFAULT_STORAGE_ALIAS):
        found.append(
            checks.Warning(
                "MEDIA_ROOT is not set, so labels are written to the folder that each process was "
                "started in",
                hint=f"Set MEDIA_ROOT. {hint} where MEDIA_ROOT is public.",
                id="couriers.W020",
            )
        )
    return found


def _is_without_folder(alias: str) -> bool:
    try:
        storage = storages[alias]
    except Exception:  # noqa: BLE001 - couriers.E006 reports it
        return False
    return isinstance(storage, FileSystemStorage) and not storage.base_location


@register()
def check_base_url(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E007: couriers and consignees cannot be told where this project is."""
    url = tunables().BASE_URL
    problem = _base_url_problem(url)
    if problem is None:
        return []
    return [
        Error(
            f"SHIPCROWD['BASE_URL'] {problem}",
            hint="Set it to the address at which couriers and consignees reach the project, such "
            "as 'https://ship.example.com', with the path of SCRIPT_NAME if there is one.",
            id="couriers.E007",
        )
    ]


def _base_url_problem(url: str) -> str | None:
    if not url:
        return "is not set"
    if "@" in url:
        return "must have no login"
    if not url.isascii():
        return f"must be written in ASCII, with percent-encoding: {url!r}"
    if "?" in url or "#" in url:
        return f"must have no query or fragment: {url!r}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"is not a URL: {url!r}"
    # Nothing is sent to it, so it may be anywhere.
    origin = url.removesuffix(parts.path) if parts.path else url
    if problem := origin_problem(origin, Reach(loopback=True, private=True)):
        return f"{problem}, not be {url!r}"
    script_name = (getattr(settings, "FORCE_SCRIPT_NAME", None) or "").rstrip("/")
    if script_name and parts.path.rstrip("/") != script_name:
        return f"is {url!r}, but its path must be FORCE_SCRIPT_NAME, {script_name!r}"
    return None


@register(deploy=True)
def check_metrics_token(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W002: /metrics has no token, so it is closed, or open to anybody in development."""
    if tunables().METRICS_TOKEN:
        return []
    return [
        checks.Warning(
            "SHIPCROWD['METRICS_TOKEN'] is not set, so nobody may read /metrics, and in "
            "development everybody",
            hint="Set it to a long random string, and have Prometheus send it as a bearer token.",
            id="couriers.W002",
        )
    ]
