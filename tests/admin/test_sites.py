"""The pages on a project's own admin site: every link and redirect stays within the site."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import sites
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import get_template
from django.test import Client
from django.urls import resolve, set_script_prefix
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

import couriers.admin
from couriers.models import AuditEntry, Company, Shipment
from couriers.models.addresses import tracking_url, url_of
from couriers.operations.admin_checks import check_admin
from tests.support.admin_pages import admin_pages
from tests.support.backoffice import bare_site, site
from tests.support.everything import make_everything
from webhooks.models import WebhookEvent

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = "/office/staff/"


@pytest.fixture
def operator(db: None) -> Any:
    return get_user_model().objects.create_superuser("op", password="op")


@pytest.fixture
def logged_in(client: Client, operator: Any) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def own_site(settings: Any) -> admin.AdminSite:
    """A project's own site, called backoffice, beside the one called admin."""
    settings.ROOT_URLCONF = "tests.support.backoffice"
    return site


def links(page: str) -> Iterator[str]:
    """The paths that a page links to or sends forms to, without static files.

    The links that lead out of the site are left out: to the tracking pages of consignees.
    """
    public = {tracking_url(pk) for pk in Shipment.objects.values_list("pk", flat=True)}
    slugs = Company.objects.values_list("slug", flat=True)
    public |= {url_of("couriers_tracking:find", slug) for slug in slugs}
    for url in re.findall(r'(?:href|action)="([^"]*)"', page):
        if url in public:
            continue
        path = urlsplit(url).path
        if path.startswith("/") and path != "/" and not path.startswith("/static/"):
            yield path


@pytest.mark.slow
def test_every_page_of_the_project_opens(logged_in: Client, operator: Any, account: Any) -> None:
    make_everything(account)
    opened = list(admin_pages(operator))
    for url in opened:
        assert logged_in.get(url).status_code == 200, url
    assert "/admin/shipcrowd_couriers/company/add/" in opened
    assert "/admin/shipcrowd_webhooks/" in opened
    assert len(opened) == len(set(opened)) > 60


@pytest.mark.slow
def test_every_page_links_only_to_the_operators_own_site(
    logged_in: Client, operator: Any, account: Any, own_site: admin.AdminSite
) -> None:
    make_everything(account)
    for url in admin_pages(operator, own_site):
        assert url.startswith(HOME)
        answer = logged_in.get(url)
        assert answer.status_code == 200, url
        elsewhere = {path for path in links(answer.content.decode()) if not path.startswith(HOME)}
        assert not elsewhere, url


def test_a_row_or_a_page_that_is_missing_is_named(operator: Any, own_site: Any) -> None:
    with pytest.raises(LookupError, match="no row of Company"):
        list(admin_pages(operator, own_site))
    with pytest.raises(LookupError, match="Company has no page on the site bare"):
        list(admin_pages(operator, bare_site))


@pytest.mark.parametrize(
    ("button", "status", "page", "answer"),
    [
        (
            "settle-doubt",
            "in_doubt",
            "doubt",
            {
                "answer": "exists",
                "exists-tracking_id": "T-9",
                "exists-reason": "seen",
                "exists-asked_about": "T-9",
                "exists-confirm_unchecked": "on",
            },
        ),
        ("lift-end", "cancelled", "lift", {"reason": "seen", "sure": "on"}),
    ],
)
def test_a_decision_leads_back_to_the_shipment_on_the_same_site(
    logged_in: Client, account: Any, own_site: Any, button: str, status: str, page: str, answer: Any
) -> None:
    make_everything(account)
    Shipment.objects.update(status=status)
    shipment = Shipment.objects.get()
    shipment.scans.update(status=status)
    base = f"{HOME}shipcrowd_couriers/shipment/{quote(shipment.pk)}/"
    assert logged_in.get(f"{base}{button}/").headers["Location"] == f"{base}{page}/"
    assert logged_in.post(f"{base}{page}/", answer).headers["Location"] == f"{base}change/"
    assert AuditEntry.objects.filter(reason="seen").exists()


def test_a_replay_leads_back_to_the_callbacks_on_the_same_site(
    logged_in: Client, account: Any, own_site: Any
) -> None:
    make_everything(account)
    base = f"{HOME}shipcrowd_webhooks/webhookevent/"
    one = f"{base}{WebhookEvent.objects.get().pk}/"
    assert logged_in.get(f"{one}ask-to-replay/").headers["Location"] == f"{one}replay/"
    assert f'href="{base}"' in logged_in.get(f"{one}replay/").content.decode()
    replayed = logged_in.post(f"{one}replay/", {"confirmed": "on"})
    assert replayed.headers["Location"] == f"{one}change/"


@pytest.fixture
def below_shop() -> Iterator[None]:
    """The project is served below /shop, where Django's test client alone would not reverse."""
    set_script_prefix("/shop/")
    yield
    set_script_prefix("/")


@pytest.mark.slow
def test_the_pages_of_a_site_below_a_script_name_link_below_it(
    logged_in: Client, operator: Any, account: Any, own_site: Any, below_shop: None
) -> None:
    make_everything(account)
    for url in admin_pages(operator, own_site):
        answer = logged_in.get(url.removeprefix("/shop"), SCRIPT_NAME="/shop")
        assert answer.status_code == 200, url
        for path in links(answer.content.decode()):
            assert path.startswith(f"/shop{HOME}"), url


def test_the_first_page_of_a_site_without_the_pages_shows_no_overview(
    logged_in: Client, own_site: Any
) -> None:
    assert "Bookings in doubt" in logged_in.get(HOME).content.decode()
    answer = logged_in.get("/bare/")
    assert answer.status_code == 200
    assert "Bookings in doubt" not in answer.content.decode()


def test_the_pages_are_registered_once_and_never_in_place_of_the_projects_own() -> None:
    mine = UnfoldAdminSite(name="mine")
    mine.register(Shipment, ModelAdmin)
    couriers.admin.register_pages(mine)
    couriers.admin.register_pages(mine)
    assert type(mine.get_model_admin(Shipment)) is ModelAdmin
    assert type(mine.get_model_admin(AuditEntry)) is not ModelAdmin
    assert not mine.is_registered(WebhookEvent)


def test_the_pages_are_refused_on_a_site_that_cannot_show_them() -> None:
    with pytest.raises(ImproperlyConfigured, match="'plain' is not an UnfoldAdminSite"):
        couriers.admin.register_pages(admin.AdminSite(name="plain"))


def install(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have the app registry name these apps in this order."""
    configs = {config.name: config for config in apps.get_app_configs()}
    monkeypatch.setattr(apps, "app_configs", {name: configs[name] for name in names})
    monkeypatch.setattr(sites, "all_sites", set())


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["unfold", "unfold.contrib.filters", "django.contrib.admin"], []),
        (["unfold", "django.contrib.admin", "unfold.contrib.filters"], []),
        (["django.contrib.admin"], ["couriers.W003"]),
        (["unfold", "django.contrib.admin"], ["couriers.W004"]),
        (["django.contrib.admin", "unfold", "unfold.contrib.filters"], ["couriers.W005"]),
    ],
)
def test_a_check_says_why_the_pages_are_not_in_the_admin(
    monkeypatch: pytest.MonkeyPatch, names: list[str], ids: list[str]
) -> None:
    install(monkeypatch, *names)
    found = check_admin(None)
    assert [message.id for message in found] == ids
    assert all("unfold" in f"{message.hint}" for message in found)
    if ids:
        with pytest.raises(ImproperlyConfigured, match="not in the admin"):
            couriers.admin.register_pages(admin.site)


def test_a_check_says_that_the_default_site_is_not_unfolds_unless_another_has_the_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, "unfold", "unfold.contrib.filters", "django.contrib.admin")
    unfolds = admin.site
    monkeypatch.setattr(sites, "site", admin.AdminSite(name="plain"))
    (found,) = check_admin(None)
    assert found.id == "couriers.W006"
    assert "couriers.admin.register_pages" in str(found.hint)
    monkeypatch.setattr(sites, "all_sites", {unfolds})
    assert check_admin(None) == []


def run_host(tmp_path: Path, apps: str, urls: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a project whose INSTALLED_APPS are the expression `apps` of ours."""
    (tmp_path / "host_urls.py").write_text(urls)
    (tmp_path / "host_settings.py").write_text(
        "from shipcrowd.settings import *\n"
        "apps = [a for a in INSTALLED_APPS if a != 'shipcrowd']\n"
        f"INSTALLED_APPS = {apps}\nROOT_URLCONF = 'host_urls'\n"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "host_settings", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", f"import django\ndjango.setup()\n{script}"],
        env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


KEYS_SCRIPT = """
from django.contrib import admin
from django.core.management import call_command
from couriers.models import Shipment
from rest_framework_api_key.models import APIKey
call_command("check")
print(admin.site.is_registered(Shipment), admin.site.is_registered(APIKey))
"""
KEYS_URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [
    path("staff/", admin.site.urls),
    path("ship/", include("couriers.urls")),
    path("calls/", include("webhooks.urls")),
]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "id_", "registered"),
    [
        ("[a for a in apps if not a.startswith('unfold')]", "couriers.W003", "False True"),
        ("sorted(apps, key='rest_framework_api_key'.__eq__)", "", "True True"),
        ("sorted(apps, key='rest_framework_api_key'.__ne__)", "", "True True"),
    ],
    ids=["without unfold", "the library of keys last", "the library of keys first"],
)
def test_a_project_starts_and_keeps_its_page_of_keys(
    tmp_path: Path, change: str, id_: str, registered: str
) -> None:
    done = run_host(tmp_path, change, KEYS_URLS, KEYS_SCRIPT)
    assert done.stdout.split("\n")[-2] == registered
    assert id_ in done.stderr
    assert len(re.findall(r"couriers\.W00[3-6]", done.stderr)) == bool(id_)


@pytest.mark.slow
def test_a_site_that_the_projects_urls_make_is_known_to_the_check(tmp_path: Path) -> None:
    basic = "['unfold.apps.BasicAppConfig' if a == 'unfold' else a for a in apps]"
    page = (ROOT / "docs" / "admin.md").read_text()
    snippet = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1]
    script = "from couriers.operations.admin_checks import check_admin\nprint(check_admin(None))"
    urls = f"{snippet}\nurlpatterns = []\n"
    assert run_host(tmp_path, basic, urls, script).stdout == "[]\n"
    assert "couriers.W006" in run_host(tmp_path, basic, "urlpatterns = []\n", script).stdout


def test_the_documented_snippets_work() -> None:
    page = (ROOT / "docs" / "admin.md").read_text()
    settings_snippet, search_urls, search_settings, site_snippet = re.findall(
        r"```python\n(.*?)```", page, re.DOTALL
    )
    (template,) = re.findall(r"```html\n(.*?)```", page, re.DOTALL)
    assert (ROOT / "shipcrowd/templates/admin/index.html").read_text() == template
    names: dict[str, Any] = {}
    exec(settings_snippet, names)
    written = names["UNFOLD"]
    for name in ("DASHBOARD_CALLBACK", "GLOBAL_CALLBACK"):
        assert settings.UNFOLD[name] == written[name]
    assert settings.UNFOLD["SIDEBAR"].items() >= written["SIDEBAR"].items()
    exec(search_settings, names)
    assert settings.UNFOLD["SIDEBAR"].items() >= names["UNFOLD"]["SIDEBAR"].items()
    exec(search_urls, names)
    box, pages = names["urlpatterns"]
    assert resolve("/admin/search/").route == str(box.pattern)
    assert pages.app_name == "admin"
    exec(site_snippet, names)
    assert names["site"].is_registered(Shipment)
    assert names["site"].is_registered(WebhookEvent)
    for included in re.findall(r"{% (?:include|extends) \"(.*?)\" %}", page):
        get_template(included)
