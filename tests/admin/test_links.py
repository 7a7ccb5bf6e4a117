"""The links of the admin's lists: each row opens, with all the buttons that the row has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import Client

from couriers.models import Courier, Scan, Shipment, StoredDocument
from tests.support.admin_links import buttons, hrefs, list_url, row_links, row_url
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import make_everything
from tests.support.factories import make_staff

MODELS = [model for model in models_of_the_apps() if admin.site.is_registered(model)]


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op", password="op"))
    return client


def raw_url(row: Model) -> str:
    """The page of a row under its key as it is stored, which no link of Django has."""
    return f"{list_url(type(row))}{row.pk}/change/"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_opens_from_its_list_with_the_buttons_of_its_raw_url(
    operator: Client, account: Any, able: Any, model: type[Model], settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    make_everything(account)
    (tmp_path / "labels").mkdir()
    label = StoredDocument.objects.get()
    (tmp_path / label.file.name).write_bytes(label.seal(b"%PDF-1.4"))
    label.save()
    Scan.objects.update(status="cancelled")
    Shipment.objects.update(status="cancelled")
    links = row_links(operator, model)
    assert len(links) == model._default_manager.count() > 0
    for row in model._default_manager.all():
        url = row_url(row)
        assert url in links
        found = buttons(operator, url)
        quoted, raw = (page.removesuffix("change/") for page in (url, raw_url(row)))
        links_of_raw = {one.replace(raw, quoted) for one in hrefs(operator.get(raw_url(row)))}
        assert set(found.values()) <= links_of_raw
        page = admin.site._registry[model]
        assert bool(found) == bool(getattr(page, "actions_detail", ()))
        for button in found.values():
            assert operator.get(button, follow=True).status_code == 200, button


def test_the_list_of_text_keys_quotes_them(operator: Client, account: Any) -> None:
    make_everything(account)
    assert row_links(operator, Shipment) == [raw_url(Shipment.objects.get()).replace("p_", "p_5F")]


@pytest.mark.parametrize(
    ("status", "button", "permission"),
    [("in_doubt", "settle-doubt", "settle_doubt"), ("cancelled", "lift-end", "lift_status")],
)
def test_the_list_leads_to_the_buttons_of_a_shipment(
    client: Client, account: Any, status: str, button: str, permission: str
) -> None:
    make_everything(account)
    Scan.objects.update(status=status)
    Shipment.objects.update(status=status)
    client.force_login(make_staff("view_shipment", permission))
    (row,) = row_links(client, Shipment)
    assert list(buttons(client, row)) == [button]
    asked = client.get(f"{row.removesuffix('change/')}{button}/", follow=True)
    assert asked.status_code == 200
    assert asked.redirect_chain[-1][0].endswith(("/doubt/", "/lift/"))
    client.force_login(make_staff("view_shipment", username="watcher"))
    assert buttons(client, row) == {}
    assert client.get(f"{row.removesuffix('change/')}{button}/").status_code == 403


def test_a_key_with_any_character_opens(operator: Client, db: None) -> None:
    Courier.objects.create(code="road_5F-rail", name="Odd")
    (link,) = row_links(operator, Courier)
    assert "road_5F5F-rail" in link
    assert "Odd" in operator.get(link).content.decode()
