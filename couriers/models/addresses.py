"""The addresses of this installation, as they are told to couriers, consignees and clients.

A host project may include each part's URLs under any prefix and in any namespace. So a name such
as `couriers_tracking:page` is looked up by the part's application namespace, wherever it is nested.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.signals import setting_changed
from django.urls import NoReverseMatch, URLResolver, get_resolver, get_urlconf, reverse
from django.urls.base import get_script_prefix
from django.utils import translation
from django.utils.encoding import iri_to_uri

from couriers.conf import tunables

# The characters that Django's reverse() leaves as they are (RFC 3986, section 3.3).
_NOT_QUOTED = "!$&'()*+,;=/~:@"
_ANY_ID = f"shp_{'0' * 26}"


class NoAddress(NoReverseMatch):
    """An address cannot be told; the message says why. A system check reports it, too.

    The project's URLs do not include the part, or only under a prefix with parameters, or there is
    no SHIPCROWD["BASE_URL"].
    """


class PrefixHasParameters(NoAddress):
    """The project includes the part under a prefix with parameters, which nobody can fill in."""


def path_of(name: str, *arguments: Any) -> str:
    """Return the path of a URL on this server, with SCRIPT_NAME.

    `name` is `<application namespace>:<URL name>`. Raises NoAddress.
    """
    # A middleware may have set other URLs for the request, which lack the part.
    return _path(name, arguments, get_urlconf() or settings.ROOT_URLCONF, settings.ROOT_URLCONF)


def path_below_root(name: str, *arguments: Any) -> str:
    """Return the path of a URL without SCRIPT_NAME, in the project's ROOT_URLCONF."""
    path = _path(name, arguments, settings.ROOT_URLCONF)
    return "/" + path.removeprefix(quote(get_script_prefix(), safe=_NOT_QUOTED))


def url_of(name: str, *arguments: Any) -> str:
    """Return the public URL, below SHIPCROWD["BASE_URL"]. Raises NoAddress.

    It is the same in each process and thread: SCRIPT_NAME, which only a web server knows, is the
    path of BASE_URL.
    """
    if not tunables().BASE_URL:
        raise NoAddress("SHIPCROWD['BASE_URL'] is not set")
    return public_url(path_below_root(name, *arguments))


def public_url(path_info: str) -> str:
    """Return the public URL of a path without SCRIPT_NAME, which may have a query."""
    return tunables().BASE_URL.rstrip("/") + iri_to_uri(path_info)


def tracking_url(shipment_id: str) -> str:
    """Return the URL of the shipment's public tracking page.

    It is "" where there is none: a booking that the courier has accepted must not fail for it.
    """
    place = (settings.ROOT_URLCONF, settings.LANGUAGE_CODE, tunables().BASE_URL)
    try:
        before, after = _around_tracked_id(*place)
    except NoAddress:
        return ""
    return f"{before}{quote(shipment_id)}{after}"


@lru_cache(maxsize=16)
def _around_tracked_id(*place: str) -> tuple[str, str]:
    """Return what stands before and after the id in the URL of a tracking page.

    It is made once for each place: to reverse the URL of each shipment of a list takes a sixth of
    the list's time. Raises NoAddress, which is not kept.
    """
    before, _, after = url_of("couriers_tracking:page", _ANY_ID).partition(_ANY_ID)
    return before, after


def callback_url(courier: str, account_id: str, topic: str = "") -> str:
    """Return the URL to which the courier sends the account's callbacks. Raises NoAddress.

    With a topic it is the URL of that topic alone.
    """
    if topic:
        return url_of("shipcrowd_webhooks:receive-topic", courier, account_id, topic)
    return url_of("shipcrowd_webhooks:receive", courier, account_id)


def _path(name: str, arguments: tuple[Any, ...], *urlconfs: str) -> str:
    """Return the path by the first of the URLconfs that includes the part. Raises NoAddress."""
    part, _, url_name = name.partition(":")
    for urlconf in urlconfs:
        if namespace := _namespaces(urlconf).get(part):
            return _reverse(f"{namespace}:{url_name}", arguments, urlconf)
    raise NoAddress(f"the URLs of {part} are not included in the project's URLs")


def _reverse(name: str, arguments: tuple[Any, ...], urlconf: str) -> str:
    """Reverse a name. A prefix by language (i18n_patterns) is that of LANGUAGE_CODE."""
    try:
        with translation.override(settings.LANGUAGE_CODE):
            return reverse(name, urlconf=urlconf, args=arguments)
    except (NoReverseMatch, ValueError) as error:
        # Django raises ValueError for a prefix that is a wrong format string.
        raise PrefixHasParameters(
            f"the prefix of the URL {name} has parameters, or characters that Django cannot reverse"
        ) from error


@lru_cache(maxsize=16)
def _namespaces(urlconf: str) -> dict[str, str]:
    """Return the full instance namespace of each application namespace.

    Of several inclusions of a part, the first counts.
    """
    found: dict[str, str] = {}
    for app_name, namespace in _inclusions(get_resolver(urlconf), ""):
        found.setdefault(app_name, namespace)
    return found


def _inclusions(resolver: URLResolver, path: str) -> Iterator[tuple[str, str]]:
    # Django fills the dict from the last pattern to the first.
    for namespace, (_, included) in reversed(resolver.namespace_dict.items()):
        full = f"{path}:{namespace}" if path else namespace
        yield included.app_name or "", full
        yield from _inclusions(included, full)


def _forget_namespaces(*, setting: str, **_: Any) -> None:
    """Look the namespaces up again after a test has changed the URLs."""
    if setting == "ROOT_URLCONF":
        _namespaces.cache_clear()
        _around_tracked_id.cache_clear()


setting_changed.connect(_forget_namespaces)
