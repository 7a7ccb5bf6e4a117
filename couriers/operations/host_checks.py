"""System checks of the project that the apps are installed in: what they stand on and cannot set.

Each names what is wrong, what would be lost by it, and what to write.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.cache import caches
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connection, router
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.module_loading import import_string
from django_redis import get_redis_connection
from django_redis.cache import RedisCache
from psycopg import IsolationLevel
from redis.exceptions import RedisError

from couriers.conf import tunables
from couriers.contract.registry import CourierFactory
from couriers.models.addresses import NoAddress, PrefixHasParameters, path_below_root

OURS = ("couriers", "webhooks", "shipcrowd")
MAX_REDIS_WAIT = 1.0  # seconds
SIDECAR = "drf_spectacular_sidecar"
LABELS = {"shipcrowd_couriers", "shipcrowd_webhooks"}


class Shadowed(NoAddress):
    """Another URL of the project comes first for the path."""


# Each part of the URLs: a name in it with arguments, the module, and what is lost without it.
LOST_WITHOUT = {
    ("shipcrowd_webhooks:receive", ("courier", "account")): (
        "webhooks.urls", "every callback of a courier is lost"
    ),
    ("shipcrowd_webhooks:receive-topic", ("courier", "account", "shipment_recreated")): (
        "webhooks.urls", "every callback of a courier is lost"
    ),
    ("couriers_tracking:page", ("shipment",)): (
        "couriers.tracking.urls", "consignees are told no tracking page"
    ),
}  # fmt: skip
MISSED_WITHOUT = {
    ("couriers_api:schema", ()): ("couriers.api.urls", "storefronts cannot book"),
    ("couriers_api:shipment-list", ()): ("couriers.api.urls", "storefronts cannot book"),
    ("couriers_problems:problem", ("validation",)): (
        "couriers.api.problem_urls", "the types of problems lead nowhere"
    ),
}  # fmt: skip


@register()
def check_time_zones(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E008: USE_TZ is off, and times without a zone cannot be compared with couriers'."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False, and the order of couriers' scans needs times with a zone",
            hint="Set USE_TZ = True. PostgreSQL keeps the times of your own tables either way.",
            id="couriers.E008",
        )
    ]


@register()
def check_database(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E009, E018 and E019: the database is not one on which an order is booked once."""
    if connection.vendor != "postgresql":
        return [
            Error(
                f"DATABASES['default'] is {connection.display_name}, and bookings need the locks "
                "and constraints of PostgreSQL",
                hint="Set its ENGINE to 'django.db.backends.postgresql'.",
                id="couriers.E009",
            )
        ]
    found: list[CheckMessage] = []
    options = connection.settings_dict.get("OPTIONS", {})
    if (
        options.get("isolation_level", IsolationLevel.READ_COMMITTED)
        != IsolationLevel.READ_COMMITTED
    ):
        found.append(
            Error(
                "DATABASES['default'] has an isolation_level, and rows are claimed by locks that "
                "need READ COMMITTED",
                hint="Leave it out: READ COMMITTED is the default of PostgreSQL.",
                id="couriers.E018",
            )
        )
    if not connection.settings_dict.get("AUTOCOMMIT", True):
        found.append(
            Error(
                "DATABASES['default'] has AUTOCOMMIT False, and a booking must be committed before "
                "the courier is called",
                hint="Leave it out.",
                id="couriers.E019",
            )
        )
    return found


@register()
def check_routers(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E017: a router reads or writes the tables elsewhere, where a commit is not seen."""
    elsewhere = sorted(
        model._meta.label
        for label in LABELS & set(apps.app_configs)
        for model in apps.get_app_config(label).get_models()
        if {router.db_for_read(model), router.db_for_write(model)} != {DEFAULT_DB_ALIAS}
    )
    if not elsewhere:
        return []
    return [
        Error(
            f"DATABASE_ROUTERS read or write {elsewhere[0]} and {len(elsewhere) - 1} other tables "
            "in another database than 'default', but what was written must be seen at once",
            hint=f"Have your router return 'default' for the apps {', '.join(sorted(LABELS))}.",
            id="couriers.E017",
        )
    ]


@register()
def check_cache(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E011: the cache is not a Redis that all processes share."""
    alias = tunables().CACHE
    try:
        backend = type(caches[alias])
    except Exception as error:  # noqa: BLE001 - a backend may raise anything when it is made
        problem = f"{type(error).__name__}: {error}"
    else:
        if issubclass(backend, RedisCache):
            return []
        problem = f"is {backend.__module__}.{backend.__qualname__}"
    return [
        Error(
            f"CACHES[{alias!r}] cannot be used: {problem}. Rate limits, circuits and locks would "
            "not be shared by the processes",
            hint="Set its BACKEND to 'django_redis.cache.RedisCache' and its LOCATION to a Redis, "
            "or name another alias in SHIPCROWD['CACHE'].",
            id="couriers.E011",
        )
    ]


@register(deploy=True)
def check_redis(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W018: the Redis of the cache does not answer (`check --deploy`)."""
    if check_cache(app_configs):
        return []
    try:
        get_redis_connection(tunables().CACHE).ping()
    except (RedisError, OSError) as error:
        return [
            checks.Warning(
                f"The Redis of CACHES[{tunables().CACHE!r}] does not answer "
                f"({type(error).__name__}), so each process limits its calls by itself",
                hint="Start it, or correct the cache's LOCATION.",
                id="couriers.W018",
            )
        ]
    return []


@register()
def check_redis_time_outs(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W019: a Redis that hangs would hold requests for long."""
    if check_cache(app_configs):
        return []
    options = settings.CACHES[tunables().CACHE].get("OPTIONS", {})
    given = {name: options.get(name) for name in ("SOCKET_CONNECT_TIMEOUT", "SOCKET_TIMEOUT")}
    wrong = [
        f"{name} {value or 'missing'}"
        for name, value in given.items()
        if not value or value > MAX_REDIS_WAIT
    ]
    if not wrong:
        return []
    return [
        checks.Warning(
            f"CACHES[{tunables().CACHE!r}] has {' and '.join(wrong)} in its OPTIONS, so a Redis "
            "that hangs holds requests for that long, and for ever where one is missing",
            hint=f"Set both to 0.5, and to {MAX_REDIS_WAIT:g} at most (seconds).",
            id="couriers.W019",
        )
    ]


@register(Tags.urls)
def check_urls(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E012 and couriers.W010: a part of the URLs cannot be reached.

    A prefix with parameters is an error of any part: its views do not take them.
    """
    if not getattr(settings, "ROOT_URLCONF", None):
        hint = "Set it to the module of the project's URLs."
        return [Error("ROOT_URLCONF is not set", hint=hint, id="couriers.E012")]
    found: list[CheckMessage] = []
    for (name, arguments), (module, loss) in (LOST_WITHOUT | MISSED_WITHOUT).items():
        try:
            _check_reachable(name, arguments)
        except NoAddress as error:
            hint = f'Add path("…", include("{module}")) to ROOT_URLCONF, with a prefix of its own'
            if module.startswith("couriers."):
                hint += ', or include "couriers.urls", which has all parts of the core'
            is_lost = (name, arguments) in LOST_WITHOUT or isinstance(
                error, (PrefixHasParameters, Shadowed)
            )
            kind = Error if is_lost else checks.Warning
            id_ = "couriers.E012" if is_lost else "couriers.W010"
            problem = kind(f"{error}: {loss}.", hint=f"{hint}.", id=id_)
            if problem not in found:  # two names of one part
                found.append(problem)
    return found


def _check_reachable(name: str, arguments: tuple[str, ...]) -> None:
    """Raise NoAddress unless the URL can be made, and leads to its own view."""
    path = unquote(path_below_root(name, *arguments))
    part, _, url_name = name.partition(":")
    try:
        with translation.override(settings.LANGUAGE_CODE):
            match = resolve(path, urlconf=settings.ROOT_URLCONF)
    except Resolver404:
        raise NoAddress(f"{path} leads nowhere") from None
    if match.url_name != url_name or part not in match.app_names:
        raise Shadowed(f"{path} leads to {match.view_name or match.func.__name__!r} instead")


@register()
def check_middleware(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E013: MIDDLEWARE names one of the platform's that does not exist."""
    found: list[CheckMessage] = []
    for path in settings.MIDDLEWARE:
        if path.partition(".")[0] not in OURS:
            continue
        try:
            import_string(path)
        except Exception:  # noqa: BLE001 - a module of an app that is missing raises RuntimeError
            found.append(
                Error(
                    f"MIDDLEWARE names {path!r}, which does not exist",
                    hint="Write 'webhooks.middleware.InboxMiddleware', or leave it out: callbacks "
                    "reach the inbox by its URL, too.",
                    id="couriers.E013",
                )
            )
    return found


@register()
def check_templates(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E015: the pages' templates are not found."""
    try:
        get_template("couriers/tracking.html")
    except TemplateDoesNotExist:
        return [
            Error(
                "The templates of couriers are not found, so the tracking page is a server error",
                hint="Set APP_DIRS to True in TEMPLATES, or add the loader "
                "django.template.loaders.app_directories.Loader.",
                id="couriers.E015",
            )
        ]
    return []


@register()
def check_apps(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.E014, W015 and W016: an app is missing without which the others start."""
    found: list[CheckMessage] = []
    if "shipcrowd_webhooks" not in apps.app_configs:
        found.append(
            Error(
                "'webhooks' is not in INSTALLED_APPS, so every callback of a courier is lost",
                hint="Add 'webhooks' to INSTALLED_APPS, and include webhooks.urls. A package of "
                "your own by this name hides it.",
                id="couriers.E014",
            )
        )
    if not CourierFactory.codes():
        found.append(
            checks.Warning(
                "No courier's plug-in is in INSTALLED_APPS, so nothing can be booked",
                hint="Add the app of your courier's plug-in.",
                id="couriers.W015",
            )
        )
    if not apps.is_installed(SIDECAR):
        found.append(
            checks.Warning(
                f"{SIDECAR!r} is not in INSTALLED_APPS, so the page of the API's documentation "
                "is blank",
                hint=f"Add {SIDECAR!r} to INSTALLED_APPS.",
                id="couriers.W016",
            )
        )
    return found


@register()
def check_atomic_requests(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """couriers.W011: the project's own views run in transactions, where nothing may be booked."""
    if not connection.settings_dict.get("ATOMIC_REQUESTS"):
        return []
    return [
        checks.Warning(
            "ATOMIC_REQUESTS is True. The platform's own views are exempt, but a view of yours "
            "that books is refused, because a courier must not be called inside a transaction",
            hint="Decorate such a view with django.db.transaction.non_atomic_requests.",
            id="couriers.W011",
        )
    ]
