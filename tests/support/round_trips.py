"""Counting the round trips to Redis of this process."""

from __future__ import annotations

from typing import Any

import pytest
from redis.connection import AbstractConnection


def count_round_trips(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that gets each request which is sent to Redis from now on."""
    sent: list[bytes] = []
    send = AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, check_health: bool = True) -> None:
        sent.append(command if isinstance(command, bytes) else b"".join(command))
        send(self, command, check_health)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return sent
