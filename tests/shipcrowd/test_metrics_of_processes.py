"""The files in which processes add up their metrics, and the requests that are counted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from shipcrowd.multiprocess import fold_ended_processes, prepare_folder
from tests.support.samples import sample_value

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def count(folder: Path, pid: int | str, value: float) -> None:
    """Write the file of a process that has counted this often."""
    file = MmapedDict(str(folder / f"counter_{pid}.db"))
    file.write_value(mmap_key("things_total", "things_total", ["kind"], ["a"], "Things"), value, 0)
    file.close()


def total(folder: Path) -> float:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return sample_value(generate_latest(registry).decode(), "things_total", kind="a")


def test_counts_of_processes_that_ended_stay_in_the_total(tmp_path: Path, ended: int) -> None:
    count(tmp_path, os.getpid(), 3)
    count(tmp_path, ended, 4)
    count(tmp_path, "ended", 5)
    assert total(tmp_path) == 12
    (tmp_path / f"histogram_{ended}.db").touch()  # of a process that was killed at its start
    assert fold_ended_processes(tmp_path) == 2
    assert total(tmp_path) == 12
    assert {file.name for file in tmp_path.glob("*.db")} == {
        f"counter_{os.getpid()}.db",
        "counter_ended.db",
    }
    assert fold_ended_processes(tmp_path) == 0
    assert total(tmp_path) == 12


def test_counts_start_from_zero_where_no_process_is_left(tmp_path: Path, ended: int) -> None:
    count(tmp_path, ended, 4)
    count(tmp_path, "ended", 5)
    fold_ended_processes(tmp_path)
    assert list(tmp_path.glob("*.db")) == []


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_named_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "metrics"  # nobody can make it, not even root
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"PROMETHEUS_MULTIPROC_DIR is {folder}, which cannot be written")
    assert "shipcrowd.W030" in done.stderr


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    assert prepare_folder() == ""
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ  # or files are written to this folder


@pytest.mark.django_db
def test_a_statement_that_fails_is_counted_by_its_error(client: Client) -> None:
    from django.db import ProgrammingError, connection, transaction

    def failed() -> float:
        text = client.get("/metrics").content.decode()
        return sample_value(text, "django_db_errors_total", alias="default", type="UndefinedTable")

    before = failed()
    with (
        pytest.raises(ProgrammingError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM no_such_table")
    assert failed() == before + 1


@pytest.mark.django_db
def test_requests_are_counted_by_view_and_a_strangers_method_is_no_label(client: Client) -> None:
    def answered(text: str, method: str, view: str) -> float:
        name = "django_http_responses_total_by_status_view_method_total"
        return sample_value(text, name, method=method, view=view)

    before = client.get("/metrics").content.decode()
    client.get("/healthz")
    client.generic("ANYTHING-AT-ALL", "/healthz")
    client.get("/no/such/page")
    after = client.get("/metrics").content.decode()
    for method, view in (
        ("GET", "couriers:healthz"),
        ("<invalid method>", "couriers:healthz"),
        ("GET", "<unnamed view>"),
    ):
        assert answered(after, method, view) == answered(before, method, view) + 1
    assert "ANYTHING" not in after


@pytest.mark.django_db
def test_statements_and_reads_of_the_cache_are_counted(client: Client) -> None:
    from django.core.cache import cache
    from django.db import connection

    def counts() -> tuple[float, ...]:
        text = client.get("/metrics").content.decode()
        return (
            sample_value(text, "django_db_execute_total", alias="default"),
            sample_value(text, "django_cache_get_total"),
            sample_value(text, "django_cache_get_hits_total"),
        )

    first = counts()
    between = counts()
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    cache.set("a", 1)
    assert (cache.get("a"), cache.get("b")) == (1, None)
    last = counts()
    of_a_scrape = between[0] - first[0]
    assert last[0] - between[0] == of_a_scrape + 100
    assert (last[1] - between[1], last[2] - between[2]) == (2, 1)


@pytest.mark.django_db
def test_migrations_that_the_database_lacks_are_counted(client: Client) -> None:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    def unapplied() -> float:
        text = client.get("/metrics").content.decode()
        assert "django_migrations_unapplied_total" in text
        return sample_value(text, "django_migrations_unapplied_total", connection="default")

    assert unapplied() == 0
    MigrationRecorder(connection).record_unapplied("shipcrowd_couriers", "0001_initial")
    assert unapplied() == 1


def test_the_docker_image_has_the_settings_of_gunicorn() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "gunicorn.conf.py" in " ".join(copied).split()
    assert (ROOT / "gunicorn.conf.py").is_file()
