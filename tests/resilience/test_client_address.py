"""Whose request it is: nobody can choose the address that he is counted by."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from couriers.resilience.client_address import client_address


def address(settings: Any, proxies: int, forwarded: str | None, remote: str = "10.0.0.1") -> str:
    settings.SHIPCROWD = settings.SHIPCROWD | {"PROXIES": proxies}
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "10.0.0.1"),
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (2, "1.1.1.1, 198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, None, "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "unknown", "10.0.0.1"),
        (1, "203.0.113.7, ", "10.0.0.1"),
        (1, "<script>", "10.0.0.1"),
        (1, "203.0.113.7:41234", "203.0.113.7"),
        (1, "[2001:db8::1]:443", "2001:db8::"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "fe80::1%eth0", "fe80::"),
        (1, "9" * 5000, "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_add_counts(
    settings: Any, proxies: int, forwarded: str | None, expected: str
) -> None:
    assert address(settings, proxies, forwarded) == expected


def test_a_unix_socket_has_no_address(settings: Any) -> None:
    assert address(settings, 0, "203.0.113.7", remote="") == ""
    assert address(settings, 1, "203.0.113.7", remote="") == "203.0.113.7"
