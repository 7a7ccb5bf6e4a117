"""What the host project leaves out or does otherwise is named by a check, and never a traceback."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.shop import PROJECT
from tests.support.wheels import HostVirtualenv

pytestmark = pytest.mark.slow

# Takes a change of the settings and the id that is expected; returns what the check prints.
Check = Callable[[str, str], str]

# The check that names each app which is left out.
CHECKS = {
    "unfold": "couriers.W003",
    "unfold.contrib.filters": "couriers.W004",
    "django.contrib.admin": "couriers.E010",
    "django.contrib.auth": "couriers.E010",
    "django.contrib.contenttypes": "couriers.E010",
    "django.contrib.sessions": "couriers.E010",
    "django.contrib.messages": "couriers.E010",
    "django.contrib.staticfiles": "couriers.E010",
    "django.contrib.postgres": "couriers.E010",
    "rest_framework": "couriers.E010",
    "rest_framework_api_key": "couriers.E010",
    "django_filters": "couriers.E010",
    "drf_spectacular": "couriers.E010",
    "drf_spectacular_sidecar": "couriers.W016",
    "webhooks": "couriers.E014",
    "couriers_ekart": "couriers.W015",
    "couriers": "couriers.E010",
}
SQLITE = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'x'}}"
INBOX_FIRST = "MIDDLEWARE.insert(0, 'webhooks.middleware.InboxMiddleware')"
# Changes of the settings, each with the check that names it.
CHANGES = {
    "del SHIPCROWD": "couriers.E007",
    "SHIPCROWD = {'BASE_URL': 'https://shop.example'}": "couriers.E011",
    "SHIPCROWD['BASE_URL'] = 'http://shop.example'": "couriers.E007",
    "SHIPCROWD['BASE_URI'] = 'https://shop.example'": "couriers.E001",
    "SHIPCROWD['STORAGE'] = 'nowhere'": "couriers.E006",
    "SHIPCROWD['PRICING'] = 'shop.nowhere.price'": "couriers.E005",
    "SHIPCROWD['CACHE'] = 'default'": "couriers.E011",
    "MEDIA_URL = '/media/'": "couriers.W017",
    "del CACHES": "couriers.E011",
    "del FERNET_KEYS": "couriers.E003",
    "FORCE_SCRIPT_NAME = '/elsewhere'": "couriers.E007",
    "USE_TZ = False": "couriers.E008",
    SQLITE: "couriers.E009",
    "DATABASES['default']['ATOMIC_REQUESTS'] = True": "couriers.W011",
    "ROOT_URLCONF = 'shop.shipping_urls'": "couriers.E012",
    "ROOT_URLCONF = 'people.urls'": "couriers.W010",
    "ROOT_URLCONF = 'people.tenants'": "couriers.E012",
    "del ROOT_URLCONF": "couriers.E012",
    "ROOT_URLCONF = 'people.shadowed'": "couriers.E012",
    "DATABASE_ROUTERS = ['people.routers.Replica']": "couriers.E017",
    "DATABASES['default']['OPTIONS'] = {'isolation_level': 3}": "couriers.E018",
    "DATABASES['default']['AUTOCOMMIT'] = False": "couriers.E019",
    "FERNET_USE_HKDF = False": "couriers.E003",
    "FERNET_KEYS = 'one,two'": "couriers.E003",
    "SHIPCROWD['BASE_URL'] = 'https://shop.example/दुकान'": "couriers.E007",
    f"{INBOX_FIRST}; INSTALLED_APPS.remove('webhooks')": "couriers.E014",
    "del MEDIA_ROOT": "couriers.W020",
    "CACHES['redis']['OPTIONS'] = {'SOCKET_TIMEOUT': 5}": "couriers.W019",
    "MIDDLEWARE.insert(0, 'webhooks.middleware.WebhookMiddleware')": "couriers.E013",
    "TEMPLATES[0]['APP_DIRS'] = False": "couriers.E015",
    "del CELERY_BROKER_URL": "couriers.W012",
    "del CELERY_BEAT_SCHEDULE": "couriers.W013",
    "CELERY_TASK_ALWAYS_EAGER = True": "couriers.W014",
    "CELERY_TASK_CREATE_MISSING_QUEUES = False": "couriers.W022",
    "INSTALLED_APPS.sort(key='unfold'.__eq__)": "couriers.W005",
    "INSTALLED_APPS[0] = 'unfold.apps.BasicAppConfig'": "couriers.W006",
}
ENVIRONMENT = {
    "SHOP_DATABASE": "x", "SHOP_USER": "x", "SHOP_PASSWORD": "x", "SHOP_HOST": "127.0.0.1",
    "SHOP_PORT": "9", "SHOP_REDIS": "redis://127.0.0.1:9", "SHOP_URL": "https://shop.example",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host project, to which each test adds a module with changed settings."""
    copy = tmp_path_factory.mktemp("missing") / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "people" / "urls.py").write_text(
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        "urlpatterns = [\n"
        "    path('office/', admin.site.urls),\n"
        "    path('in/', include('webhooks.urls')),\n"
        "    path('parcels/', include('couriers.tracking.urls')),\n"
        "]\n"
    )
    (copy / "people" / "tenants.py").write_text(
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        "urlpatterns = [\n"
        "    path('office/', admin.site.urls),\n"
        "    path('in/', include('webhooks.urls')),\n"
        "    path('parcels/', include('couriers.tracking.urls')),\n"
        "    path('<slug:tenant>/', include('couriers.api.urls')),\n"
        "]\n"
    )
    (copy / "people" / "shadowed.py").write_text(
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        "urlpatterns = [\n"
        "    path('office/', admin.site.urls),\n"
        "    path('ship/', include('webhooks.urls')),\n"
        "    path('ship/', include('couriers.urls')),\n"
        "]\n"
    )
    (copy / "people" / "routers.py").write_text(
        "class Replica:\n    def db_for_read(self, model, **hints):\n        return 'replica'\n"
    )
    return copy


@pytest.fixture(scope="module")
def ask(host_virtualenv: HostVirtualenv, folder: Path) -> Iterator[Callable[[str], str]]:
    """Has `manage.py check` run with a module of settings."""
    script = str(Path(__file__).with_name("check_script.py"))
    with host_virtualenv.talk(script, cwd=folder, environment=ENVIRONMENT) as ask:
        yield ask


@pytest.fixture
def check(folder: Path, ask: Callable[[str], str]) -> Check:
    """Returns what `manage.py check` prints on standard error with the changed settings."""

    def run(change: str, id_: str) -> str:
        module = f"changed_{abs(hash(change))}"
        (folder / f"{module}.py").write_text(f"from shop.settings import *\n{change}\n")
        done = json.loads(ask(module))
        expected = 3 if id_ == "couriers.E010" else 1 if ".E" in id_ else 0
        assert done["code"] == expected, done["printed"]
        return str(done["printed"])

    return run


def installed_apps() -> list[str]:
    tree = ast.parse((PROJECT / "shop" / "settings.py").read_text())
    (found,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSTALLED_APPS"
    ]
    return list(ast.literal_eval(found))


def test_every_app_of_the_project_has_a_check() -> None:
    assert set(CHECKS) == set(installed_apps()) - {"people"}


@pytest.mark.parametrize(("app", "id_"), CHECKS.items())
def test_an_app_that_is_left_out_is_named(check: Check, app: str, id_: str) -> None:
    printed = check(f"INSTALLED_APPS.remove({app!r})", id_)
    assert f"({id_})" in printed
    assert "Traceback" not in printed
    if id_ != "couriers.W015":
        assert f"'{app}'" in printed.split(f"({id_})")[1].split("HINT")[0]


@pytest.mark.parametrize(("change", "id_"), CHANGES.items())
def test_a_setting_that_is_missing_or_wrong_is_named(check: Check, change: str, id_: str) -> None:
    printed = check(change, id_)
    assert f"({id_})" in printed
    assert "Traceback" not in printed
    assert "HINT: " in printed.split(f"({id_})")[1]
