"""The dashboard: its JSON is what Grafana loads, and its panels say what they show.

Grafana's own models of a dashboard (grafana-foundation-sdk) read it.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from django.test import Client
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard

from tests.support.factories import CourierAccountFactory
from tests.support.promtool import DASHBOARD, MONITORING, metrics_of, panels, queries, rules

ROWS = ["Promise", "Couriers", "Callbacks", "Storefronts", "Queues", "API", "Machine"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
PROVISIONING = MONITORING / "grafana" / "provisioning"


def test_grafana_knows_every_field_of_the_dashboard() -> None:
    register_default_plugins()
    read = dashboard.Dashboard.from_json(_dashboard())
    assert _lost(_dashboard(), json.loads(json.dumps(read, cls=JSONEncoder))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("titel",), "a misspelt field"),
        (("panels", 1, "options", "reduceOption"), {"calcs": ["last"]}),
        (("panels", 1, "targets", 0, "expression"), "up"),
        (("panels", 1, "fieldConfig", "defaults", "units"), "s"),
    ],
)
def test_a_field_that_grafana_does_not_know_is_found(path: tuple[Any, ...], value: Any) -> None:
    register_default_plugins()
    wrong = inner = _dashboard()
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    read = dashboard.Dashboard.from_json(wrong)
    (lost,) = _lost(wrong, json.loads(json.dumps(read, cls=JSONEncoder)))
    assert lost.endswith(f"{path[-1]}")


def test_the_rows_are_those_of_the_platform() -> None:
    rows = [panel for panel in _dashboard()["panels"] if panel["type"] == "row"]
    assert [row["title"].partition(":")[0] for row in rows] == ROWS


def test_ids_are_unique_and_no_panel_covers_another() -> None:
    everything = _dashboard()["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = set(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
        )
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: str(panel["title"]))
def test_each_panel_says_what_it_shows_and_takes_the_chosen_source(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == SOURCE
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE
    names = [target["refId"] for target in panel["targets"]]
    assert len(set(names)) == len(names)


def test_the_variables_that_panels_use_are_declared() -> None:
    declared = {variable["name"] for variable in _dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(_dashboard()["panels"])))
    assert used == declared | {"__rate_interval", "__range"}


def test_the_definition_of_the_sync_rate_stands_where_it_is_shown() -> None:
    (panel,) = (panel for panel in panels() if panel["title"] == "Sync success rate")
    assert (
        "whose last news, by callback or poll, is younger than TRACKING_SILENCE"
        in (panel["description"])
    )


def test_grafana_is_given_the_source_and_the_folder_of_the_dashboard() -> None:
    (source,) = _provisioned("datasources/prometheus.yml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    scraped = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]
    (provider,) = _provisioned("dashboards/shipcrowd.yml")["providers"]
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("max by (account) (a_state) > 0", {"a_state"}),
        ('sum(rate(a_total{x=~"b|c", y="d"}[$__rate_interval])) * 60 or vector(0)', {"a_total"}),
        ("max(a) - max(min_over_time(b_c[15m])) > 14 * 86400", {"a", "b_c"}),
        ("histogram_quantile(0.95, sum by (x, le) (rate(a_bucket[5m])))", {"a_bucket"}),
        ('count(ALERTS{alertstate="firing"}) or up{job="x"} == 1e3', set()),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, names: set[str]) -> None:
    assert metrics_of(expression) == names


def test_everything_that_alerts_is_shown() -> None:
    shown = set().union(*(metrics_of(query) for _, query in queries()))
    alerting = set().union(*(metrics_of(rule["expr"]) for rule in rules()))
    # Ekart's own names count what is shown by courier.
    assert {name for name in alerting if not name.startswith("ekart_")} <= shown


@pytest.mark.django_db
def test_every_metric_that_is_shown_or_alerts_is_exported(client: Client) -> None:
    CourierAccountFactory()
    text = client.get("/metrics").content.decode()
    exported = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    read = set().union(
        *(metrics_of(query) for _, query in queries()),
        *(metrics_of(rule["expr"]) for rule in rules()),
    )
    # The certificate is measured where BASE_URL is https.
    assert {name for name in read if name.removesuffix("_bucket") not in exported} == {
        "shipcrowd_certificate_expires_seconds"
    }


def _lost(given: Any, read: Any, path: str = "") -> list[str]:
    """Return the paths of what was given and is missing, or other, in what was read."""
    if isinstance(given, dict) and isinstance(read, dict):
        missing = [f"{path}/{name}" for name in given if name not in read]
        inner = [(name, value, read[name]) for name, value in given.items() if name in read]
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        missing = []
        inner = [(place, *pair) for place, pair in enumerate(zip(given, read, strict=True))]
    else:
        return [] if given == read else [path]
    return missing + [one for name, a, b in inner for one in _lost(a, b, f"{path}/{name}")]


def _dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def _provisioned(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROVISIONING / name).read_text())
    return found
