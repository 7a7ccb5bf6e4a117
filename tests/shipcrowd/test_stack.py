"""The platform's processes on one machine with other servers."""

from __future__ import annotations

from shipcrowd.embedded import Servers
from shipcrowd.stack import Stack

NOWHERE = Servers("postgres://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1")


def test_two_platforms_that_want_one_port_get_one_each() -> None:
    with Stack(NOWHERE, {}) as first:
        assert first.port
        with Stack(NOWHERE, {}, port=first.port) as second:
            assert second.port not in (0, first.port)
    with Stack(NOWHERE, {}, port=first.port) as third:
        assert third.port == first.port
