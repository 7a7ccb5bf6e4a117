"""The settings of couriers called over HTTP, and the checks of all registered plug-ins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.checks import run_checks

from couriers.contract.registry import CourierFactory
from couriers.http.tunables import HttpTunables, http_tunables
from tests.support.toy import ToyAdapter


@dataclass(frozen=True, slots=True)
class SmallTunables(HttpTunables):
    """A courier's settings with one of its own, and another default."""

    READ_TIMEOUT: float = 120.0
    DOCUMENT: str = "4R"


class SmallAdapter(ToyAdapter):
    code = "small"
    name = "Small"
    tunables = SmallTunables


class PlainAdapter(ToyAdapter):
    code = "plain"
    name = "Plain"


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    for adapter in (SmallAdapter, PlainAdapter):
        CourierFactory.register(adapter)
    yield
    for adapter in (SmallAdapter, PlainAdapter):
        CourierFactory.unregister(adapter.code)


def errors(settings: Any, **couriers: Any) -> dict[str, str]:
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": couriers}
    return {str(found.id): str(found.msg) for found in run_checks()}


def test_a_couriers_settings_have_its_own_defaults(settings: Any) -> None:
    assert http_tunables("small").READ_TIMEOUT == 120
    assert http_tunables("plain").READ_TIMEOUT == 20
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"small": {"READ_TIMEOUT": 7.0}}}
    assert http_tunables("small").READ_TIMEOUT == 7
    assert SmallTunables.of("small").DOCUMENT == "4R"
    assert SmallTunables.of("small").READ_TIMEOUT == 7
    assert http_tunables("small").longest_call() == 3.05 + 14
    own = 100 * 7 / 120
    assert http_tunables("small").longest_call(100) == pytest.approx(3.05 + own + 7)


def test_settings_that_are_right_have_no_errors(settings: Any) -> None:
    found = errors(settings, small={"DOCUMENT": "A4"}, plain={"POOL_SIZE": 3})
    assert not [one for one in found if one.startswith(("couriers_small", "couriers_plain"))]


def test_an_unknown_and_a_wrong_key_are_named_for_every_plug_in(settings: Any) -> None:
    found = errors(settings, small={"X": 1, "DOCUMENT": 5}, plain={"DOCUMENT": "A4"})
    assert "SHIPCROWD['COURIERS']['small']['X'] is not a setting" in found["couriers_small.E001"]
    assert "['small']['DOCUMENT'] must be like '4R'" in found["couriers_small.E002"]
    assert "['plain']['DOCUMENT'] is not a setting" in found["couriers_plain.E001"]


def test_the_settings_of_a_courier_that_nobody_registered_are_an_error(settings: Any) -> None:
    found = errors(settings, smal={"READ_TIMEOUT": 5.0})
    assert "SHIPCROWD['COURIERS']['smal'] is no registered courier" in found["couriers.E001"]


def test_a_base_url_of_the_environment_is_checked_for_every_plug_in(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_BASE_URL", "http://small.example")
    assert "SMALL_BASE_URL must begin with https" in errors(settings)["couriers_small.E003"]
    monkeypatch.setenv("SMALL_BASE_URL", "https://small.example")
    assert "couriers_small.E003" not in errors(settings)


def test_an_operations_own_time_changes_with_the_setting() -> None:
    assert HttpTunables().answer_time(None) == 20
    assert HttpTunables().answer_time(120) == 120
    assert HttpTunables(READ_TIMEOUT=0.3).answer_time(120) == pytest.approx(1.8)
    assert HttpTunables().longest_call(120) == pytest.approx(3.05 + 120 + 20)
