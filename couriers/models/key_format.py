"""What API keys look like, and from which addresses each may be used.

A key is `sk_test_` or `sk_live_`, eight characters by which its row is found, and 32 secret ones.
The hash is that of the whole key, so a key cannot be turned into one of the other mode.
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string
from rest_framework_api_key.crypto import KeyGenerator
from rest_framework_api_key.models import APIKeyManager

BEGINNINGS = {False: "sk_live_", True: "sk_test_"}  # by whether it is a test key
PREFIX_LENGTH, SECRET_LENGTH = 8, 32  # characters
KEY_LENGTH = len(BEGINNINGS[True]) + PREFIX_LENGTH + SECRET_LENGTH
MAX_NETWORKS = 20  # networks of one key
NETWORK_LENGTH = 43  # characters; no IPv6 network is longer


class _Generator(KeyGenerator):
    """Makes prefixes that may stand in a URL."""

    def get_prefix(self) -> str:
        return get_random_string(PREFIX_LENGTH, string.ascii_lowercase + string.digits)


class KeyManager(APIKeyManager):
    """Makes keys of this format, for rows whose `is_test` is set."""

    key_generator = _Generator(PREFIX_LENGTH, SECRET_LENGTH)

    def assign_key(self, obj: Any) -> str:
        """Give an unsaved row a new key; return the key, which is stored nowhere."""
        obj.prefix = self.key_generator.get_prefix()
        key = f"{BEGINNINGS[obj.is_test]}{obj.prefix}{self.key_generator.get_secret_key()}"
        obj.hashed_key = self.key_generator.hash(key)
        obj.id = f"{obj.prefix}.{obj.hashed_key}"
        return key

    def get_from_key(self, key: str) -> Any:
        """Return the row of a key that is not revoked. Raises DoesNotExist for any other text."""
        row: Any = self.get_usable_keys().get(prefix=prefix_of(key) or "")
        if not row.is_valid(key):
            raise type(row).DoesNotExist("the key is not valid")
        return row


def prefix_of(key: str) -> str | None:
    """Return the characters by which a key is found, or None for a text that is no key."""
    beginning = len(BEGINNINGS[True])
    if len(key) != KEY_LENGTH or not key.startswith(tuple(BEGINNINGS.values())):
        return None
    return key[beginning : beginning + PREFIX_LENGTH]


def network_problem(text: str) -> str | None:
    """Return why a text is no network such as `203.0.113.0/24` or `203.0.113.7`, or None."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            right = ipaddress.ip_network(text, strict=False)
            return f"is an address within a network: write {right}, or the address without /"
        return "is no network such as 203.0.113.0/24 or 2001:db8::/48"
    return None if len(str(network)) <= NETWORK_LENGTH else "is too long"


def clean_networks(texts: Iterable[str]) -> list[str]:
    """Return the networks as they are stored, each once. Raises ValidationError naming a bad one.

    An IPv6 client is known by its network of /64, so a narrower one is refused.
    """
    found: dict[str, None] = {}
    for text in texts:
        if problem := network_problem(text.strip()):
            raise ValidationError(f"{text.strip()[:NETWORK_LENGTH]} {problem}")
        network = ipaddress.ip_network(text.strip())
        if network.version == 6 and network.prefixlen > 64:
            raise ValidationError(f"{network} is narrower than /64, which is one client of IPv6")
        found[str(network)] = None
    if len(found) > MAX_NETWORKS:
        raise ValidationError(f"at most {MAX_NETWORKS} networks")
    return list(found)


def allows(networks: Iterable[str], address: str) -> bool:
    """Return whether a client's address is in one of the networks; "" is an unknown address."""
    if not address:
        return False
    client = ipaddress.ip_address(address)
    return any(client in ipaddress.ip_network(network) for network in networks)
