"""The tracking page is in English or Hindi, whatever languages the project has."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from couriers.models import Scan, Shipment
from couriers.models.addresses import path_of
from tests.support.factories import ShipmentFactory

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 10, 7, 9, 5, tzinfo=dt.UTC)  # 14:35 in India


@pytest.fixture
def parcel(account: Any) -> Shipment:
    shipment = ShipmentFactory(
        account=account, warehouse=account.company.warehouses.get(), status="in_transit",
        status_at=AT, estimated_delivery=dt.datetime(2100, 10, 6, 20, tzinfo=dt.UTC),
    )  # fmt: skip
    Scan.objects.create(shipment=shipment, at=AT, status="in_transit", courier_status="x")
    return shipment


def page_of(shipment: Shipment, accepted: str = "", query: str = "") -> Any:
    headers = {"Accept-Language": accepted} if accepted else {}
    return Client(headers=headers).get(path_of("couriers_tracking:page", shipment.pk) + query)


def language_of(shipment: Shipment, accepted: str, query: str = "") -> str:
    page = page_of(shipment, accepted, query)
    language = str(page["Content-Language"])
    assert f'<html lang="{language}">' in page.content.decode()
    assert ("रास्ते में" in page.content.decode()) == (language == "hi")
    return language


def test_days_are_named_in_english_in_a_german_project(parcel: Shipment, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    text = page_of(parcel).content.decode()
    assert "Thursday, 7 October 2100" in text
    assert "Wednesday, 7 October 2026, 2:35 pm" in text


def test_days_and_times_are_those_of_india_in_hindi(parcel: Shipment, settings: Any) -> None:
    settings.LANGUAGES = [("de", "Deutsch")]
    settings.TIME_ZONE = "America/New_York"
    text = page_of(parcel, "hi-IN").content.decode()
    assert "गुरुवार, 7 अक्टूबर 2100" in text
    assert "बुधवार, 7 अक्टूबर 2026, दोपहर 2:35 बजे" in text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("hi", "hi"), ("hi-IN,hi;q=0.9,en;q=0.8", "hi"), ("HI-in", "hi"),
        ("en-IN,hi;q=0.9", "en"), ("ta-IN,hi;q=0.5,en;q=0.4", "hi"), ("ta-IN,te", "en"),
        ("*", "en"),
        ("hi;q=0,en", "en"), ("hi;q=x", "en"), ("x" * 9000, "en"), ("../../etc/passwd", "en"),
    ],
)  # fmt: skip
def test_the_browser_is_asked_for_the_language(
    parcel: Shipment, accepted: str, language: str
) -> None:
    assert language_of(parcel, accepted) == language


def test_a_link_chooses_the_other_language(parcel: Shipment) -> None:
    assert language_of(parcel, "en", "?lang=hi") == "hi"
    assert language_of(parcel, "hi", "?lang=en") == "en"
    assert language_of(parcel, "hi", "?lang=xx") == "hi"
    text = page_of(parcel, "en", "?lang=hi").content.decode()
    assert f'href="/track/find/{parcel.company.slug}/?lang=hi"' in text


def test_a_cache_keeps_the_languages_apart(parcel: Shipment) -> None:
    english, hindi = page_of(parcel, "en"), page_of(parcel, "hi")
    assert "Accept-Language" in english["Vary"]
    assert english["ETag"] != hindi["ETag"]


def test_a_project_without_translations_has_the_page_in_english(
    parcel: Shipment, settings: Any
) -> None:
    settings.USE_I18N = False
    page = page_of(parcel, "hi", "?lang=hi")
    assert page["Content-Language"] == "en"
    assert "lang=hi" not in page.content.decode()


def test_the_words_of_the_project_stay_its_own(parcel: Shipment, settings: Any) -> None:
    from django.utils import translation

    with translation.override("hi"):
        assert translation.gettext("Delivered") == "Delivered"
        assert translation.pgettext("parcel", "Delivered") == "पहुँच गया"
