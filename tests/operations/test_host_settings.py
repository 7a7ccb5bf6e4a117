"""The apps read no setting but Django's own, FERNET_KEYS and SHIPCROWD."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import global_settings
from django.test import override_settings
from django.urls import URLPattern, URLResolver

import couriers.urls
import webhooks.urls
from couriers.resilience.shared import RedisUnavailable, with_redis

ROOT = Path(__file__).resolve().parents[2]
OURS = {"FERNET_KEYS", "SHIPCROWD"}
APPS = ("couriers", "couriers_ekart", "couriers_velocity", "webhooks")


def settings_read_by(path: Path) -> Iterator[str]:
    """The names that a module reads of django.conf.settings, whatever it calls the object."""
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.conf"
        for alias in node.names
        if alias.name == "settings"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in names:
            yield node.attr
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in ("getattr", "hasattr")
            and getattr(node.args[0], "id", "") in names
        ):
            yield ast.literal_eval(node.args[1])


def test_no_module_reads_another_setting() -> None:
    read = {
        name: path.name
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        for name in settings_read_by(path)
    }
    assert {"SHIPCROWD", "SECRET_KEY", "INSTALLED_APPS"} <= set(read)
    djangos = {*dir(global_settings), "ROOT_URLCONF", "is_overridden"}
    assert set(read) - djangos == OURS
    assert "REST_FRAMEWORK" not in read


@pytest.mark.parametrize(
    "caches",
    [
        {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        {"default": {"BACKEND": "django.core.cache.backends.locmem.NoSuchCache"}},
    ],
)
def test_a_cache_that_is_no_redis_counts_as_redis_that_is_away(caches: Any) -> None:
    with override_settings(CACHES=caches), pytest.raises(RedisUnavailable):
        with_redis(lambda redis: redis.ping())


def views(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        else:
            yield pattern


def test_no_view_runs_in_a_transaction_of_atomic_requests() -> None:
    found = [*views(couriers.urls.urlpatterns), *views(webhooks.urls.urlpatterns)]
    assert len(found) > 50
    for pattern in found:
        assert getattr(pattern.callback, "_non_atomic_requests", ()) == {"default"}, pattern


def test_no_setting_of_the_project_shortens_a_task() -> None:
    ours = [task for name, task in current_app.tasks.items() if name.split(".")[0] in APPS]
    assert len(ours) >= 10
    for task in ours:
        # Longer than the longest task, which ends by itself after 240 seconds.
        assert (task.soft_time_limit, task.time_limit) == (880, 900), task.name
        assert task.acks_late
        assert task.ignore_result
