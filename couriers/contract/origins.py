"""The address of a courier's server: how it must be written, and where it may lead. Pure.

Calls carry an account's login, so they must not be sent to the platform's own network. A base URL
is checked as it is written, and every address that its name resolves to is checked when a
connection is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The whole text is matched: a parser of URLs would forgive what another one reads differently.
_ORIGIN = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z.-]+)(?::(?P<port>[0-9]+))?")
_LABEL = re.compile(r"[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?")
# Resolvers read a name whose last label is a number as an IPv4 address: 127.1, 0x7f000001.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAX_NAME = 253  # characters
_MAX_PORT = 65535
_NOT_HTTPS = "must begin with https:// (http:// on loopback only, in development)"

_LOOPBACK = [ip_network(text) for text in ("127.0.0.0/8", "::1/128")]
# RFC 1918, carrier-grade NAT (RFC 6598), and unique local addresses (RFC 4193).
_PRIVATE = [
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
# Mapped IPv4 addresses, NAT64, link-local and multicast ones are all outside of it.
_GLOBAL_UNICAST = ip_network("2000::/3")
# Protocol assignments, 6to4 and documentation: some versions of Python call them global.
_SPECIAL = [
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses a courier, or a merchant's endpoint, may have beside public ones over https.

    `loopback` allows this machine, over http too. `private` allows private networks over https,
    and `private_setting` names the setting that does, "" where there is none. Link-local,
    multicast, reserved, mapped and NAT64 addresses are never allowed.
    """

    loopback: bool = False
    private: bool = False
    private_setting: str = "SHIPCROWD['ALLOW_PRIVATE_COURIERS']"

    def problem(self, address: str, *, encrypted: bool) -> str | None:
        """Return why no connection may be made to an IP address, or None."""
        ip = ip_address(address)
        if _is_in(ip, _LOOPBACK):
            if self.loopback or (self.private and encrypted):
                return None
            return "is on this machine, which is for development (SHIPCROWD['DEVELOPMENT'])"
        if not encrypted:
            return _NOT_HTTPS
        if _is_public(ip):
            return None
        if not _is_in(ip, _PRIVATE):
            return "is at an address that no server has: it is reserved or of this network alone"
        if self.private:
            return None
        needs = f", which needs {self.private_setting}" if self.private_setting else ""
        return f"is in a private network{needs}"


def origin_problem(url: str, reach: Reach) -> str | None:
    """Return why an origin may not be used, such as a courier's base URL, or None.

    It is a scheme, a host and perhaps a port. The message does not quote it, because it may hold
    a login.
    """
    if problem := _form_problem(url):
        return problem
    scheme, _, rest = url.partition("://")
    host = rest.removesuffix("/").lower()
    host = host.partition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]
    encrypted = scheme.lower() == "https"
    if host == "localhost" or host.endswith(".localhost"):
        return reach.problem("127.0.0.1", encrypted=encrypted)
    if _is_ip(host):
        return reach.problem(host, encrypted=encrypted)
    return None if encrypted else _NOT_HTTPS


def is_test_server(url: str, test_hosts: Sequence[str]) -> bool:
    """Whether a base URL is of a server where a booking moves no parcel.

    It is on this machine, or one of `test_hosts`: a name, or `*.` and a domain.
    """
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if _is_ip(host):
        return _is_in(ip_address(host), _LOOPBACK)
    return is_one_of(url, test_hosts)


def is_one_of(url: str, hosts: Sequence[str]) -> bool:
    """Whether a URL's host is one of `hosts`: a name, or `*.` and a domain."""
    host = (urlsplit(url).hostname or "").lower()
    return any(
        host.endswith(known[1:]) if known.startswith("*.") else host == known for known in hosts
    )


def _form_problem(url: str) -> str | None:
    """Return what is wrong with how an origin is written, or None."""
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "must have no spaces, backslashes or letters beyond ASCII (write xn-- names)"
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("http", "https") or not rest:
        return _NOT_HTTPS
    if "@" in rest:
        return "must have no login"
    origin = rest.removesuffix("/")
    if any(mark in origin for mark in "/?#"):
        return "must have no path, query or fragment"
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return "must be a host, and perhaps a port"
    port = found["port"]
    if port is not None and not (len(port) <= len(str(_MAX_PORT)) and 1 <= int(port) <= _MAX_PORT):
        return f"must have a port of 1 to {_MAX_PORT}"
    return _host_problem(found["host"].lower())


def _host_problem(host: str) -> str | None:
    labels = host.split(".")
    if host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        # What is in brackets has a colon, or it is IPv4.
        is_usual = _is_ip(host.strip("[]")) and host.startswith("[") == (":" in host)
        return None if is_usual else "must have an IP address in its usual form"
    if len(host) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        return "must have the name of a host, without a dot at its end"
    return None


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_in(ip: Address, networks: list[Network]) -> bool:
    return any(ip in network for network in networks)


def _is_public(ip: Address) -> bool:
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return False
    is_special = ip.is_multicast or ip.is_reserved or _is_in(ip, _SPECIAL)
    return ip.is_global and not is_special
