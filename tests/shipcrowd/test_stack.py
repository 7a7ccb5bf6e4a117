"""The platform's processes and the port that they listen on."""

from __future__ import annotations

from shipcrowd.embedded import Servers
from shipcrowd.stack import Stack

UNREACHABLE = Servers("postgres://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1")


def test_a_stack_uses_another_port_if_the_wanted_one_is_taken() -> None:
    with Stack(UNREACHABLE, {}) as first:
        assert first.port
        with Stack(UNREACHABLE, {}, port=first.port) as second:
            assert second.port not in (0, first.port)
    with Stack(UNREACHABLE, {}, port=first.port) as third:
        assert third.port == first.port
