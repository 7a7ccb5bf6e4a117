"""The commands of the documentation run; its links and make targets exist; the demo works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from sandbox.process import SandboxProcess
from shipcrowd import embedded
from tests.support.compose import read_compose
from tests.support.suite import names_in_the_suite

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "sandbox/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
# Other tests run these pages, in projects of their own or on rows of their own.
RUN_ELSEWHERE = tuple(
    ROOT / "docs" / name
    for name in ("install.md", "writing-a-courier.md", "canary.md", "api-guide.md")
)
# Commands that are not run here: make targets, and what other tests run.
MAKE_TARGET = re.compile(
    r"^make (setup|demo|test|coverage|bench|chaos|lint|dist|matrix|screenshots|examples)"
    r"( ARGS=\S+)?$"
)
TESTED_ELSEWHERE = re.compile(r"--rotate-secret$|--forget-previous$|test_\w+_live\.py$")


def commands() -> list[str]:
    """Return every command after a prompt in a console block, with its continuation lines."""
    found = []
    for page in PAGES:
        if page in RUN_ELSEWHERE:
            continue
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [line[2:].strip() for line in lines if line.startswith("$ ")]
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with embedded.temporary("docs") as servers, SandboxProcess("ekart", "--hold") as sandbox:
        yield os.environ | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "SANDBOX": sandbox.url,
        }


@pytest.mark.slow
def test_the_documented_commands_run(environment: dict[str, str], tmp_path: Path) -> None:
    environment.pop("PYTEST_XDIST_WORKER", None)
    ran = []
    for command in commands():
        if (
            MAKE_TARGET.match(command)
            or TESTED_ELSEWHERE.search(command)
            or command.startswith("curl ")
        ):
            continue
        if "-m sandbox" in command:
            # The fixture runs the sandbox already.
            continue
        # The virtualenv of this run, which need not be that of the documentation.
        command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        command = command.replace("--report report.csv", f"--report {tmp_path / 'report.csv'}")
        if command.startswith("export "):
            for pair in shlex.split(command)[1:]:
                name, _, value = pair.partition("=")
                environment[name] = environment["SANDBOX"] if name == "EKART_BASE_URL" else value
            continue
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stderr[-500:]}"
        ran.append(shlex.split(command)[2] if "manage.py" in command else command)
    assert {"migrate", "seed_courier", "book_orders"} <= set(ran)
    assert len((tmp_path / "report.csv").read_text().splitlines()) == 41


def test_every_make_target_of_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`?(?:\$ )?make ([\w-]+)(?: ARGS=\S+)?`", page.read_text())
    }
    assert {"chaos", "bench"} <= named <= targets
    assert {command.split()[1] for command in commands() if MAKE_TARGET.match(command)} <= targets


def test_every_file_and_name_on_the_page_of_the_architecture_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page[page.index("## Where to change what") : page.index("## Glossary")]
    modules = [
        path
        for folder in ROOT.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
        for path in folder.rglob("*.py")
    ]
    checked = 0
    for cell in re.findall(r"^\| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)[1:]:
        source = ""
        for word in re.findall(r"`([^`]+)`", cell):
            if word.endswith(".py"):
                found = [path for path in modules if path.match(word)]
                assert found, word
                source = "".join(path.read_text() for path in found)
            else:
                assert re.search(rf"\b{word}\b", source), f"{word}: not in the file named before it"
            checked += 1
    assert checked > 20
    for word in re.findall(r"participant \w+ as (\S+\.py)", page):
        assert any(path.match(word) for path in modules), word


def test_every_row_of_the_page_of_security_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    attacks = page[page.index("## Attacks") : page.index("## What is left")]
    rows = re.findall(
        r"^\| (?!attack|failure|-)[^|]+ \| [^|]+ \| ([^|]+) \|$", attacks, re.MULTILINE
    )
    assert len(rows) > 50
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named
        assert named <= names_in_the_suite()


def test_every_line_of_deployment_readiness_names_tests_and_commands_that_exist() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()
    rows = re.findall(r"^\| (?!line)([^|-][^|]*) \| ([^|]+) \|$",
                      page[page.index("## Deployment readiness") :], re.MULTILINE)  # fmt: skip
    assert len(rows) == 14
    for line, evidence in rows:
        tests = set(re.findall(r"`(test_\w+)`", evidence))
        named = set(re.findall(r"`manage\.py (\w+)", evidence))
        assert tests | named, line
        assert tests <= names_in_the_suite(), line
        assert named <= get_commands().keys(), line


def test_the_commands_of_the_page_of_deployment_name_services_files_and_commands_that_exist() -> (
    None
):
    page = (ROOT / "docs" / "deployment.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    services = set(read_compose({"APP_BASE_URL": "x", "ALLOWED_HOSTS": "x"})["services"])
    found = set()
    for command in re.findall(r"docker compose ([^\n&|]+)", "".join(blocks).replace("\\\n", " ")):
        words = [word for word in shlex.split(command.split("<")[0].split(">")[0])
                 if word in services or word == "$service"]  # fmt: skip
        found |= set(words)
        assert words or re.match(
            r"up -d( --build| --force-recreate)?( --wait)?\s*$|build\s*$", command
        ), command
    assert {"web", "postgres", "migrate", "certbot", "$service"} <= found
    for names in re.findall(r"for service in ([^;]+);", page):
        assert set(names.split()) == {
            name for name in services if name.startswith(("web", "worker", "beat"))
        }
    assert set(re.findall(r"manage\.py (\w+)", "".join(blocks))) <= get_commands().keys()
    # Every secret of compose is made by the loop of the page.
    (made,) = re.findall(r"for name in ([^;]+);", page)
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(made.split()) == set(re.findall(r"\{file: \./secrets/(\w+)\}", text))


def test_the_local_hooks_are_those_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = (ROOT / "Makefile").read_text()
    for hook in hooks:
        if hook["language"] == "system":
            assert hook["entry"].split()[0].removeprefix(".venv/bin/") in lint
    (subject,) = (hook for hook in hooks if hook.get("stages") == ["commit-msg"])
    assert re.search(subject["entry"], "x" * 73, re.DOTALL)
    assert not re.search(subject["entry"], "x" * 72 + "\n\n" + "y" * 90, re.DOTALL)


def test_every_file_that_the_documentation_links_to_exists() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[)#]", page.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_committed_file_names_a_package_index() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    word = "|".join(["index" + "-url", "find" + "-links", "pypi" + r"\.org/simple"])
    for name in listed:
        text = (ROOT / name).read_bytes().decode(errors="ignore")
        assert not re.search(word, text), name
