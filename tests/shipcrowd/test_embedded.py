"""The embedded servers are started, reused and stopped; nothing else on the machine changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shipcrowd.embedded.folder import ENV_DIR
from shipcrowd.embedded.processes import start_time, wait_until

# Every test starts several processes.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


class Checkout:
    """A folder of embedded servers, used through child processes as a checkout does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "SHIPCROWD_EMBEDDED_INSTANCE")
        } | {ENV_DIR: str(folder)}

    def run(self, *arguments: str, code: int = 0, **more: Any) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "shipcrowd.embedded", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, **more,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    def python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=ROOT, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def urls(self) -> tuple[str, str]:
        database, redis = self.python(
            "from shipcrowd import embedded; s = embedded.ensure('dev');"
            "print(s.database_url, s.redis_url)"
        ).split()
        return database, redis

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "dev" / "state.json").read_text()))

    def pid(self, server: str) -> int:
        return int(self.state()[server]["pid"])


@pytest.fixture
def fresh() -> Iterator[Checkout]:
    """A folder in which no server has run yet."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    checkout = Checkout(folder)
    yield checkout
    checkout.run("stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A folder with the data of a first run, which takes longer to create than to start from."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    checkout = Checkout(folder)
    checkout.urls()
    checkout.run("stop")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def checkout(fresh: Checkout, initialised: Path) -> Checkout:
    """A folder with the data of stopped servers."""
    subprocess.run(["cp", "-a", f"{initialised}/.", str(fresh.folder)], check=True)
    return fresh


def test_servers_are_started_reused_and_stopped(fresh: Checkout) -> None:
    first = fresh.urls()
    pids = [fresh.pid(server) for server in ("postgres", "valkey")]
    assert fresh.urls() == first
    assert [fresh.pid(server) for server in ("postgres", "valkey")] == pids
    with psycopg.connect(first[0]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert json.loads(fresh.run("status", "--json")) == {"postgres": True, "valkey": True}
    fresh.run("stop")
    assert wait_until(lambda: not any(start_time(pid) for pid in pids), 5)
    assert json.loads(fresh.run("status", "--json")) == {"postgres": False, "valkey": False}


def test_two_checkouts_have_separate_servers(checkout: Checkout) -> None:
    other = Checkout(Path(tempfile.mkdtemp(prefix="embedded-")))
    try:
        mine, theirs = checkout.urls(), other.urls()
        assert not set(mine) & set(theirs)
        other.run("stop")
        assert json.loads(checkout.run("status", "--json")) == {"postgres": True, "valkey": True}
    finally:
        other.run("stop")
        shutil.rmtree(other.folder)


def test_killed_servers_start_again_with_their_data(checkout: Checkout) -> None:
    database, _ = checkout.urls()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    for server in ("postgres", "valkey"):
        os.kill(checkout.pid(server), signal.SIGKILL)
    again, _ = checkout.urls()
    with psycopg.connect(again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_another_process_with_a_stored_id_is_not_stopped(checkout: Checkout) -> None:
    checkout.urls()
    checkout.run("stop")
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state = checkout.state()
        for server in ("postgres", "valkey"):
            state[server]["pid"] = other.pid
        (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
        checkout.run("stop")
        checkout.urls()
        assert checkout.pid("postgres") != other.pid
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_killed_server_starts_again_without_ps(checkout: Checkout, tmp_path: Path) -> None:
    checkout.urls()
    os.kill(checkout.pid("postgres"), signal.SIGKILL)
    for program in ("unshare", "test"):
        (tmp_path / program).symlink_to(shutil.which(program) or "/nowhere")
    checkout.environment["PATH"] = str(tmp_path)
    database, _ = checkout.urls()
    checkout.environment["PATH"] = os.environ["PATH"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_running_server_missing_from_the_state_is_replaced(checkout: Checkout) -> None:
    checkout.urls()
    forgotten = checkout.pid("postgres")
    state = checkout.state()
    del state["postgres"]
    (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
    checkout.urls()
    assert start_time(forgotten) is None
    assert start_time(checkout.pid("postgres"))


def test_another_postgres_on_the_stored_port_is_not_used(
    checkout: Checkout,
) -> None:
    other = Checkout(Path(tempfile.mkdtemp(prefix="embedded-")))
    try:
        checkout.urls()
        checkout.run("stop")
        other.urls()
        state = checkout.state()
        state["postgres"]["port"] = other.state()["postgres"]["port"]
        (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
        database, _ = checkout.urls()
        assert checkout.state()["postgres"]["port"] != state["postgres"]["port"]
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        other.run("stop")
        shutil.rmtree(other.folder)


CONTAINER = ["unshare", "--pid", "--ipc", "--net", "--fork", "--mount-proc"]


@pytest.mark.skipif(
    subprocess.run([*CONTAINER, "true"], capture_output=True).returncode != 0,
    reason="needs the permission to create namespaces",
)
@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_a_container_starts_no_second_server_on_the_same_data(
    checkout: Checkout, server: str
) -> None:
    checkout.urls()
    before = checkout.state()
    pid_file = checkout.folder / "dev" / "postgres" / "postmaster.pid"
    written = pid_file.read_text()
    text = (
        f"from shipcrowd.embedded import {server} as server; from shipcrowd.embedded.folder import"
        " Folder; server.ensure(Folder('dev'))"
    )
    done = subprocess.run(
        [*CONTAINER, sys.executable, "-c", text],
        cwd=ROOT, env=checkout.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert "stop it there" in done.stderr
    assert (checkout.state(), pid_file.read_text()) == (before, written)
    assert json.loads(checkout.run("status", "--json")) == {"postgres": True, "valkey": True}


def test_concurrent_starts_share_one_server(fresh: Checkout) -> None:
    command = [sys.executable, "-m", "shipcrowd.embedded", "start"]
    starting = [
        subprocess.Popen(command, cwd=ROOT, env=fresh.environment, stdout=subprocess.DEVNULL)
        for _ in range(4)
    ]
    assert [process.wait(60) for process in starting] == [0] * 4
    count = fresh.python(
        "from shipcrowd import embedded; import psycopg;"
        "print(psycopg.connect(embedded.ensure('dev').database_url)"
        ".execute('SELECT pg_postmaster_start_time() IS NOT NULL').fetchone()[0])"
    )
    assert count.strip() == "True"


def test_run_stops_the_servers_after_the_command_and_returns_its_exit_code(
    checkout: Checkout,
) -> None:
    text = (
        "import os, sys; sys.exit(7 if os.environ['SHIPCROWD_EMBEDDED_INSTANCE'] == 'dev' else 1)"
    )
    checkout.run("run", "--", sys.executable, "-c", text, code=7)
    assert json.loads(checkout.run("status", "--json")) == {"postgres": False, "valkey": False}


def test_sigterm_ends_the_command_of_run_and_stops_the_servers(
    checkout: Checkout,
) -> None:
    text = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9));"
        "print('up', flush=True); time.sleep(60)"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "shipcrowd.embedded", "run", "--", sys.executable, "-c", text],
        cwd=ROOT, env=checkout.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == "up\n"
        running.terminate()
        assert running.wait(30) == 9
    assert json.loads(checkout.run("status", "--json")) == {"postgres": False, "valkey": False}


AS_USER = ["unshare", "--user", "--map-user=1000"]


@pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run([*AS_USER, "true"], capture_output=True).returncode != 0,
    reason="needs root and user namespaces",
)
def test_an_ordinary_user_can_start_and_stop_the_servers(fresh: Checkout) -> None:
    def as_user(action: str) -> str:
        done = subprocess.run(
            [*AS_USER, sys.executable, "-c", CONTROL_SCRIPT.format(action=action)],
            cwd=ROOT, env=fresh.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert as_user("start").splitlines() == ["1000", "postgres: running", "valkey: running"]
    assert as_user("stop").splitlines() == ["1000", "postgres: stopped", "valkey: stopped"]


CONTROL_SCRIPT = """
import os, sys
print(os.geteuid())
sys.argv = ["embedded", "{action}"]
from shipcrowd.embedded.__main__ import main
sys.exit(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_starts_servers_below_a_private_home_and_changes_nothing_else() -> None:
    home = Path(tempfile.mkdtemp(prefix="home-"))
    inside = home / "project"
    inside.mkdir(mode=0o700)
    users = Path("/etc/passwd").read_bytes()
    checkout = Checkout(inside)
    try:
        checkout.urls()
        assert (home.stat().st_mode & 0o777, inside.stat().st_mode & 0o777) == (0o700, 0o700)
        assert Path("/etc/passwd").read_bytes() == users
    finally:
        checkout.run("stop")
        shutil.rmtree(home)


def test_urls_in_the_environment_replace_the_embedded_servers(fresh: Checkout) -> None:
    fresh.environment |= {
        "DATABASE_URL": "postgres://user:pass@/name?host=/run/somewhere",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "x" * 50,
        "FERNET_KEYS": "key",
        "DJANGO_SETTINGS_MODULE": "shipcrowd.settings",
    }
    shown = fresh.python(
        "from django.conf import settings; d = settings.DATABASES['default'];"
        "print(d['HOST'] or d['OPTIONS'].get('host'), d['NAME'])"
    )
    assert shown.split() == ["/run/somewhere", "name"]
    assert not (fresh.folder / "dev").exists()
