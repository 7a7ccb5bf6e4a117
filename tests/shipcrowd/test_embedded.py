"""The servers from wheels: started, found again, stopped; the machine is left as it was."""

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
from shipcrowd.embedded.processes import identity, wait_until

# Every one starts processes by the handful.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


class Checkout:
    """A folder of embedded servers, used by processes of its own."""

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
    """A folder in which nothing has run yet."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    checkout = Checkout(folder)
    yield checkout
    checkout.run("stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """What the first run leaves behind: to make it anew takes a server longer than to start."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    checkout = Checkout(folder)
    checkout.urls()
    checkout.run("stop")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def checkout(fresh: Checkout, initialised: Path) -> Checkout:
    """A folder in which servers have run before, and do no longer."""
    subprocess.run(["cp", "-a", f"{initialised}/.", str(fresh.folder)], check=True)
    return fresh


def test_servers_are_started_found_again_and_stopped(fresh: Checkout) -> None:
    first = fresh.urls()
    pids = [fresh.pid(server) for server in ("postgres", "valkey")]
    assert fresh.urls() == first
    assert [fresh.pid(server) for server in ("postgres", "valkey")] == pids
    with psycopg.connect(first[0]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert json.loads(fresh.run("status", "--json")) == {"postgres": True, "valkey": True}
    fresh.run("stop")
    assert wait_until(lambda: not any(identity(pid) for pid in pids), 5)
    assert json.loads(fresh.run("status", "--json")) == {"postgres": False, "valkey": False}


def test_two_checkouts_have_servers_of_their_own(checkout: Checkout) -> None:
    other = Checkout(Path(tempfile.mkdtemp(prefix="embedded-")))
    try:
        mine, theirs = checkout.urls(), other.urls()
        assert not set(mine) & set(theirs)
        other.run("stop")
        assert json.loads(checkout.run("status", "--json")) == {"postgres": True, "valkey": True}
    finally:
        other.run("stop")
        shutil.rmtree(other.folder)


def test_a_run_that_was_killed_is_recovered_from_with_its_data(checkout: Checkout) -> None:
    database, _ = checkout.urls()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    for server in ("postgres", "valkey"):
        os.kill(checkout.pid(server), signal.SIGKILL)
    again, _ = checkout.urls()
    with psycopg.connect(again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_a_stale_process_id_is_neither_taken_for_ours_nor_ended(checkout: Checkout) -> None:
    checkout.urls()
    checkout.run("stop")
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state = checkout.state()
        for server in ("postgres", "valkey"):
            state[server]["pid"] = stranger.pid
        (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
        checkout.run("stop")
        checkout.urls()
        assert checkout.pid("postgres") != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_killed_server_is_recovered_from_where_there_is_no_ps(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.urls()
    os.kill(checkout.pid("postgres"), signal.SIGKILL)
    for program in ("unshare", "test"):
        (tmp_path / program).symlink_to(shutil.which(program) or "/nowhere")
    checkout.environment["PATH"] = str(tmp_path)
    database, _ = checkout.urls()
    checkout.environment["PATH"] = os.environ["PATH"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_was_not_remembered_is_ended_and_started_anew(checkout: Checkout) -> None:
    checkout.urls()
    forgotten = checkout.pid("postgres")
    state = checkout.state()
    del state["postgres"]
    (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
    checkout.urls()
    assert identity(forgotten) is None
    assert identity(checkout.pid("postgres"))


def test_a_strangers_postgres_on_the_remembered_port_is_not_taken_for_ours(
    checkout: Checkout,
) -> None:
    stranger = Checkout(Path(tempfile.mkdtemp(prefix="embedded-")))
    try:
        checkout.urls()
        checkout.run("stop")
        stranger.urls()
        state = checkout.state()
        state["postgres"]["port"] = stranger.state()["postgres"]["port"]
        (checkout.folder / "dev" / "state.json").write_text(json.dumps(state))
        database, _ = checkout.urls()
        assert checkout.state()["postgres"]["port"] != state["postgres"]["port"]
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stranger.run("stop")
        shutil.rmtree(stranger.folder)


CONTAINER = ["unshare", "--pid", "--ipc", "--net", "--fork", "--mount-proc"]


@pytest.mark.skipif(
    subprocess.run([*CONTAINER, "true"], capture_output=True).returncode != 0,
    reason="only who may make namespaces can be in a container here",
)
@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_a_container_with_the_same_checkout_starts_no_second_server_on_its_data(
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


def test_many_that_start_at_once_share_one_server(fresh: Checkout) -> None:
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


def test_run_has_servers_for_as_long_as_the_command_and_passes_its_code(
    checkout: Checkout,
) -> None:
    text = (
        "import os, sys; sys.exit(7 if os.environ['SHIPCROWD_EMBEDDED_INSTANCE'] == 'dev' else 1)"
    )
    checkout.run("run", "--", sys.executable, "-c", text, code=7)
    assert json.loads(checkout.run("status", "--json")) == {"postgres": False, "valkey": False}


def test_a_run_that_is_told_to_end_tells_its_command_and_stops_the_servers(
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
    reason="only root with user namespaces can become an ordinary user here",
)
def test_an_ordinary_user_has_servers_too(fresh: Checkout) -> None:
    def as_user(action: str) -> str:
        done = subprocess.run(
            [*AS_USER, sys.executable, "-c", AS_SAID.format(action=action)],
            cwd=ROOT, env=fresh.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert as_user("start").splitlines() == ["1000", "postgres: running", "valkey: running"]
    assert as_user("stop").splitlines() == ["1000", "postgres: stopped", "valkey: stopped"]


AS_SAID = """
import os, sys
print(os.geteuid())
sys.argv = ["embedded", "{action}"]
from shipcrowd.embedded.__main__ import main
sys.exit(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_below_a_closed_home_and_nothing_else_is_changed() -> None:
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


def test_urls_in_the_environment_switch_them_off(fresh: Checkout) -> None:
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
