"""The address that a request comes from, by which strangers are counted.

Behind proxies the connection's own address is the last proxy's. Each proxy adds the address that it
saw to the right of X-Forwarded-For, and what stands further left is whatever the client wrote. So
the project says how many proxies of its own there are (SHIPCROWD["PROXIES"]).
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from functools import lru_cache

from django.http import HttpRequest

from couriers.conf import tunables

MAX_LENGTH = 100  # characters; no address is longer, with its zone and port
_NETWORK = 64  # bits of IPv6 that a customer of a provider has at least to himself
_PORT = re.compile(r"\[([^]]*)\](?::\d+)?|([^:]*):\d+")


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address; that of its network of /64 for IPv6; "" if it is unknown.

    It is the PROXIES-th entry of X-Forwarded-For from the right. Where there is no such entry or
    it is no address, and without proxies, it is that of the connection. A connection over a Unix
    socket has none.
    """
    count = tunables().PROXIES
    if count:
        entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(entries) >= count and (found := _address(entries[-count])):
            return found
    return _address(request.META.get("REMOTE_ADDR") or "")


def _address(text: str) -> str:
    return _parsed(text) if len(text) <= MAX_LENGTH else ""


# A courier calls back from a few addresses, thousands of times.
@lru_cache(maxsize=1024)
def _parsed(text: str) -> str:
    text = text.strip()
    if with_port := _PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    with suppress(ValueError):
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK), strict=False).network_address)
    return ""
