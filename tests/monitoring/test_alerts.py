"""The alerts: promtool accepts them, each case fires as it says, and each has its runbook."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from couriers.conf import Queue
from couriers_ekart.client import EkartClient
from tests.support.promtool import MONITORING, needs_promtool, promtool, rules
from webhooks.metrics import RECEIVED, STATUSES

ROOT = MONITORING.parent
# The conditions that are named for Ekart, with their severities.
EKART = {
    "EkartCircuitBreakerOpen": ("max by (account) (ekart_circuit_breaker_state) > 0", "critical"),
    "EkartRateLimitExceeded": (
        "sum(increase(ekart_rate_limit_hits_total[5m])) / 5 > 10", "warning",
    ),
    "EkartAuthRefreshFailures": (
        'round(sum(increase(ekart_auth_refreshes_total{success="false"}[5m]))) > 2', "critical",
    ),
    "EkartSyncSuccessRateLow": ("min(ekart_sync_success_rate) < 0.90", "warning"),
    "EkartWebhookProcessingFailed": (
        "round(sum(increase(ekart_webhook_events_total"
        '{status=~"failed|dead|received_dead"}[5m]))) > 5', "warning",
    ),
}  # fmt: skip


@needs_promtool
def test_promtool_accepts_the_alerts() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yml")


@pytest.mark.slow
@needs_promtool
def test_each_case_of_an_alert_fires_or_does_not() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@needs_promtool
def test_promtool_accepts_the_scrape_configuration(tmp_path: Path) -> None:
    text = (MONITORING / "prometheus.yml").read_text()
    token = tmp_path / "token"
    token.write_text("a-token")
    assert "/run/secrets/metrics_token" in text
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(token)))
    shutil.copy(MONITORING / "alerts.yml", tmp_path)
    printed = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert "1 rule files found" in printed
    assert f"{len(rules())} rules found" in printed


def test_the_alerts_of_ekart_have_their_thresholds_and_severities() -> None:
    ekart = [rule for rule in rules() if rule["alert"].startswith("Ekart")]
    assert {r["alert"]: (r["expr"], r["labels"]["severity"]) for r in ekart} == EKART
    assert {rule["labels"]["courier"] for rule in ekart} == {"ekart"}


@pytest.mark.parametrize("name", EKART)
def test_every_other_courier_has_the_alerts_of_ekart(name: str) -> None:
    by_name = {rule["alert"]: rule for rule in rules()}
    ekart, others = by_name[name], by_name[name.replace("Ekart", "Courier")]
    same = (
        others["expr"]
        .replace("shipcrowd_courier_", "ekart_")
        .replace("courier, account", "account")
    )
    for label in ('{courier!="ekart"}', 'courier!="ekart", ', " by (courier) "):
        same = same.replace(label, "")
    assert same == ekart["expr"]
    assert others["expr"].count('courier!="ekart"') == 1
    assert others.get("for") == ekart.get("for")
    assert others["labels"] == {"severity": ekart["labels"]["severity"]}


@pytest.mark.django_db
def test_what_alerts_count_is_shown_before_it_counts(client: Client) -> None:
    """Prometheus cannot tell by how much a counter grew that it has not seen before."""
    text = client.get("/metrics").content.decode()
    for prefix, courier in (("ekart", ""), ("shipcrowd_courier", 'courier="ekart",')):
        assert f'{prefix}_auth_refreshes_total{{{courier}success="false"}}' in text
        for operation in EkartClient.operations:
            assert f'{prefix}_rate_limit_hits_total{{{courier}operation="{operation}"}}' in text
            latency = f'{prefix}_api_latency_seconds_count{{{courier}operation="{operation}"}}'
            assert latency in text
        for status in ("failed", "dead", "received_dead"):
            shown = rf"^{prefix}_webhook_events_total{{{courier}[^}}]*status=\"{status}\""
            assert re.search(shown, text, re.MULTILINE), (prefix, status)


def test_failures_of_processing_are_statuses_that_exist() -> None:
    named = {
        status
        for rule in rules()
        for statuses in re.findall(r'status=~"([^"]+)"', rule["expr"])
        for status in statuses.split("|")
    }
    assert named == {"failed", "dead", "received_dead"}
    assert named <= {*STATUSES, *RECEIVED}


def test_the_budgets_of_the_runbook_are_those_of_the_alert_and_name_every_queue() -> None:
    (rule,) = (rule for rule in rules() if rule["alert"] == "QueueBehind")
    of_alert = {
        queue: eval(seconds)
        for queues, seconds in re.findall(r'queue=~?"([^"]+)"\}\) > ([\d *]+)', rule["expr"])
        for queue in queues.split("|")
    }
    of_others = int(rule["expr"].rsplit("> ", 1)[1].split(" ")[0]) * 60
    table = re.findall(r"^\| (`.+?) \| (\d+) min \|$", _runbooks(), re.MULTILINE)
    of_runbook = {
        queue: int(minutes) * 60
        for queues, minutes in table
        for queue in re.findall(r"`(\w+)`", queues)
    }
    assert of_runbook == of_alert | {"default": of_others}
    assert of_runbook.keys() == {queue.value for queue in Queue}


def test_each_alert_has_cases_that_fire_and_that_do_not() -> None:
    cases = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
    tried: dict[str, set[bool]] = {}
    for case in cases:
        for test in case["alert_rule_test"]:
            tried.setdefault(test["alertname"], set()).add(bool(test["exp_alerts"]))
    assert tried == {rule["alert"]: {True, False} for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_what_it_means_and_has_its_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    annotations = rule["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    address, _, anchor = annotations["runbook_url"].partition("#")
    assert address == "{{ $externalLabels.runbooks }}"
    sections = re.split(r"^## ", _runbooks(), flags=re.MULTILINE)
    (section,) = (one for one in sections if one.partition("\n")[0].lower() == anchor)
    assert section.startswith(f"{rule['alert']}\n\n*{rule['labels']['severity'].capitalize()}.")
    if not rule["alert"].startswith("Ekart"):
        for part in ("What it means", "What to look at", "What to do"):
            assert f"**{part}.**" in section
    else:
        assert f"(#{anchor.replace('ekart', 'courier', 1)})" in section


def test_every_section_and_panel_that_the_runbook_names_exists() -> None:
    page = _runbooks()
    anchors = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", page, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= anchors
    for target, anchor in re.findall(r"\]\((\w+\.md)#([\w-]+)\)", page):
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / target).read_text(), re.MULTILINE)
        assert anchor in {
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
        }, f"{target}#{anchor}"


def _runbooks() -> str:
    return (ROOT / "docs" / "runbooks.md").read_text()
