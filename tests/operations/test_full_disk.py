"""GET /readyz tells of a full disk of PostgreSQL, and again when it has room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from couriers.operations import health
from tests.support.tiny_disk import fill, tiny_disk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of PostgreSQL's own, on which it writes its temporary files."""
    with tiny_disk(tmp_path / "disk") as disk, connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        owner = Path(cursor.fetchone()[0]).stat()
        space = disk / "space"
        space.mkdir()
        os.chown(space, owner.st_uid, owner.st_gid)
        cursor.execute(f"CREATE TABLESPACE tiny LOCATION '{space}'")
        cursor.execute("SET temp_tablespaces = 'tiny'")
        yield disk
        cursor.execute("RESET temp_tablespaces")
        cursor.execute("DROP TABLESPACE tiny")


def test_a_full_disk_is_told_within_seconds_and_so_is_its_end(
    client: Client, disk: Path, monkeypatch: Any
) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}
    filler = fill(disk)
    assert client.get("/readyz").json() == {"status": "ok"}  # it was asked a moment ago
    monkeypatch.setattr(health, "CHECK_EVERY", 0.0)
    answer = client.get("/readyz")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["reason"] == "out of disk"
    filler.unlink()
    assert client.get("/readyz").json() == {"status": "ok"}


def test_a_limit_of_temporary_files_says_nothing_of_the_disk(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET temp_file_limit = 0")
        try:
            assert client.get("/readyz").json() == {"status": "ok"}
        finally:
            cursor.execute("RESET temp_file_limit")
