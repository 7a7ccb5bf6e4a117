"""docker-compose.yml: its containers are closed, and its settings leave nothing to warn of."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
import pytest
import yaml

from couriers.conf import Queue
from shipcrowd.embedded import Servers
from tests.support.compose import ROOT, check_deploy, read_compose
from tests.support.worker import own_servers

VARIABLES = {
    "APP_BASE_URL": "https://ship.example.com",
    "ALLOWED_HOSTS": "ship.example.com",
    "SHIPCROWD_VERSION": "1.2.3",
}
ADMIN_PASSWORD = "GF_SECURITY_ADMIN_PASSWORD__FILE"
NOTHING = "System check identified no issues (0 silenced).\n"
# The settings of compose, and what names each that is missing. Those of one group are left out at
# once, each group in a process of its own.
MISSING: list[dict[str, set[str]]] = [
    {"SECRET_KEY_FILE": {"SECRET_KEY is not set"}},
    {"FERNET_KEYS_FILE": {"FERNET_KEYS is not set"}},
    {
        "DATABASE_URL": {
            "shipcrowd.W001) The environment lacks DATABASE_URL and REDIS_URL",
            "couriers.W032) SHIPCROWD['DEVELOPMENT'] is on",
        },
        "REDIS_URL": set(),
        "TRUSTED_PROXIES": {"shipcrowd.W006) TRUSTED_PROXIES"},
        "ALLOWED_HOSTS": {"shipcrowd.W005) ALLOWED_HOSTS"},
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": {"security.W005) You have not set the SECURE_HSTS_"},
        "SECURE_HSTS_PRELOAD": {"security.W021) You have not set the SECURE_HSTS_PRELOAD"},
    },
    {
        "METRICS_TOKEN_FILE": {"couriers.W002) SHIPCROWD['METRICS_TOKEN']"},
        "REDIS_PASSWORD_FILE": {"shipcrowd.W002) REDIS_URL has no password", "couriers.W018) "},
        "APP_BASE_URL": {
            "shipcrowd.W004) APP_BASE_URL",
            "security.W012) SESSION_COOKIE_SECURE",
            "security.W016) You have 'django.middleware.csrf",
        },
        "SECURE_SSL_REDIRECT": {
            "security.W008) Your SECURE_SSL_REDIRECT",
            "security.W004) You have not set a value for the SECURE_HSTS_SECONDS",
        },
        "PROMETHEUS_MULTIPROC_DIR": {"shipcrowd.W007) PROMETHEUS_MULTIPROC_DIR"},
    },
    {"POSTGRES_PASSWORD_FILE": {"shipcrowd.W003) DATABASE_URL has no password"}},
]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return dict(read_compose(VARIABLES)["services"])


def test_every_container_is_closed(services: dict[str, dict[str, Any]]) -> None:
    assert {"proxy", "web", "worker-inbox", "worker", "beat", "postgres", "valkey"} <= set(services)
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), name
        assert service.get("user", "") not in ("root", "0"), name
        # The public ports are nginx's; what is for operators is reached from the machine alone.
        outside = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
        assert name == "proxy" or not outside, name


def test_the_image_is_slim_and_its_user_owns_nothing_but_the_media() -> None:
    build, image = (ROOT / "Dockerfile").read_text().split("FROM ")[1:]
    for stage in (build, image):
        assert re.match(r"python:\d+\.\d+\.\d+-slim-\w+", stage)
    assert re.findall(r"^COPY (.+)$", image, re.MULTILINE) == [
        "--from=build /venv /venv", "manage.py gunicorn.conf.py ./",
    ]  # fmt: skip
    assert re.findall(r"^USER (.+)$", image, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"-o 10001 .*", image) == ["-o 10001 -g 10001 -m 0700 /app/media"]
    assert "pip" not in re.sub(r"^#.*", "", image, flags=re.MULTILINE)


def test_the_processes_that_share_metrics_share_process_ids(
    services: dict[str, dict[str, Any]],
) -> None:
    ours = {name for name, service in services.items() if "build" in service}
    assert {"web", "web-2", "worker-inbox", "worker", "beat"} <= ours
    for name in ours:
        assert services[name]["pid"] == "service:pids", name
        assert "metrics:/metrics" in services[name]["volumes"], name
    # A new release replaces the image of these, and must leave alone what they all end with.
    assert services["pids"]["image"] not in {services[name]["image"] for name in ours}


def test_nginx_asks_each_web_server(services: dict[str, dict[str, Any]]) -> None:
    site = (ROOT / "deploy" / "nginx" / "site.conf").read_text()
    sockets = {
        service["environment"]["WEB_SOCKET"]
        for service in services.values()
        if "WEB_SOCKET" in service.get("environment", {})
    }
    assert set(re.findall(r"server unix:(\S+)", site)) == sockets
    assert len(sockets) == 2


def test_a_migration_waits_for_a_lock_for_seconds_alone(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", services["migrate"]["environment"]["PGOPTIONS"])
    with psycopg.connect(own_servers().database_url) as connection:
        assert connection.execute("SHOW lock_timeout").fetchone() == ("5s",)


@pytest.mark.parametrize("password", ["", "admin", "changeme", "admin\n"])
def test_grafana_with_a_default_password_says_so_and_does_not_start(
    password: str, services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    done = start_grafana(services["grafana"], tmp_path, password)
    assert (done.returncode, done.stdout) == (1, "")
    assert "secrets/grafana_password is empty or a default" in done.stderr


def test_grafana_starts_with_a_password_of_its_own(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    done = start_grafana(services["grafana"], tmp_path, secrets.token_hex(32))
    assert (done.returncode, done.stdout) == (0, "started\n")


def start_grafana(
    service: dict[str, Any], folder: Path, password: str
) -> subprocess.CompletedProcess[str]:
    """Run the entry point of compose's Grafana, with `echo started` for Grafana itself."""
    file = folder / "password"
    file.write_text(password)
    *shell, script = service["entrypoint"]
    script = script.replace("$$", "$").replace("exec /run.sh", "exec echo started")
    return subprocess.run(
        [*shell, script], env={"PATH": os.environ["PATH"], ADMIN_PASSWORD: str(file)},
        capture_output=True, text=True,
    )  # fmt: skip


def test_what_monitoring_mounts_is_there_and_is_what_its_files_name(
    services: dict[str, dict[str, Any]],
) -> None:
    mounts = {
        inside: ROOT / source
        for name in ("prometheus", "grafana")
        for source, inside, *_ in (volume.split(":") for volume in services[name]["volumes"])
        if source.startswith("./")
    }
    assert [source for source in mounts.values() if not source.exists()] == []
    configuration = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    folder = Path("/etc/prometheus")
    assert {str(folder / rules) for rules in configuration["rule_files"]} <= mounts.keys()
    (scrape,) = configuration["scrape_configs"]
    secret = Path(scrape["authorization"]["credentials_file"])
    assert secret.parent == Path("/run/secrets")
    assert secret.name in services["prometheus"]["secrets"]
    # The port of nginx that is open inside alone.
    (target,) = scrape["static_configs"][0]["targets"]
    assert target == "proxy:8081"
    assert "8081" not in str(services["proxy"]["ports"])
    (provider,) = (ROOT / "monitoring" / "grafana" / "provisioning" / "dashboards").glob("*.y*ml")
    for one in yaml.safe_load(provider.read_text())["providers"]:
        path = one["options"]["path"]
        assert any(inside.startswith(path) for inside in mounts), path


def test_secrets_are_files_and_in_no_environment(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for variable in service.get("environment", {}):
            is_secret = re.search("PASSWORD|SECRET|KEYS|TOKEN", variable)
            assert not is_secret or variable.endswith("_FILE"), f"{name}: {variable}"
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert Path(value).name in service["secrets"], f"{name}: {variable}"


def test_every_queue_has_a_worker_and_the_inbox_one_of_its_own(
    services: dict[str, dict[str, Any]],
) -> None:
    queues = {
        name: service["command"][service["command"].index("-Q") + 1].split(",")
        for name, service in services.items()
        if "worker" in service.get("command", [])
    }
    assert queues["worker-inbox"] == [Queue.INBOX]
    assert sorted(q for found in queues.values() for q in found) == sorted(Queue)


def test_what_compose_needs_from_env_is_named() -> None:
    for name in ("APP_BASE_URL", "ALLOWED_HOSTS"):
        with pytest.raises(KeyError, match=name):
            read_compose(VARIABLES | {name: ""})


def compose_environment(folder: Path, servers: Servers) -> dict[str, str]:
    """The environment of compose's web server, with this machine's servers and invented secrets."""
    given = dict(read_compose(VARIABLES)["services"]["web"]["environment"])
    files = {name: secrets.token_hex(32) for name in ("secret_key", "fernet_keys", "metrics_token")}
    for variable, url, file in (
        ("DATABASE_URL", servers.database_url, "postgres_password"),
        ("REDIS_URL", servers.redis_url, "redis_password"),
    ):
        parts = urlsplit(url)
        files[file] = unquote(parts.password or "")
        # The check trusts a PostgreSQL on this machine without a password.
        host = parts.netloc.rpartition("@")[2]
        user = f"{parts.username}@" if parts.username else ""
        given[variable] = urlunsplit(parts._replace(netloc=user + host))
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n")
    for variable in given:
        if variable.endswith("_FILE"):
            given[variable] = str(folder / Path(given[variable]).name)
    given["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "metrics")
    return given


@pytest.mark.slow
@pytest.mark.django_db
def test_the_check_finds_nothing_and_names_each_setting_that_is_missing(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    complete = compose_environment(tmp_path, own_servers())
    needed = {"WEB_SOCKET", *(n for group in MISSING for n in group)}
    assert needed | {name for name, value in complete.items() if not value} == set(complete)
    complete["SHIPCROWD_EMBEDDED_INSTANCE"] = "test"  # its servers run already
    environments = [complete, complete | {"SECRET_KEY": "given twice"}]
    for group in MISSING:
        environments.append({name: v for name, v in complete.items() if name not in group})
    # On this machine a PostgreSQL needs no password. Nothing asks the database.
    environments[-1]["DATABASE_URL"] = "postgres://shipcrowd@postgres:5432/shipcrowd"
    whole, twice, *without = check_deploy(environments)
    assert whole == (0, NOTHING)
    assert twice == (2, "SECRET_KEY and SECRET_KEY_FILE are both set: leave one of them out\n")
    for group, (_, printed) in zip(MISSING, without, strict=True):
        with subtests.test(", ".join(group)):
            words = set().union(*group.values())
            assert [said for said in words if said not in printed] == []
            # Nothing else is said, and nothing in a traceback.
            assert printed.count("?: (") == sum(said[:1].islower() for said in words)
            assert "Traceback" not in printed
