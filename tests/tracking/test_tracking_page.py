"""The public tracking page: what a consignee reads in each state, and what nobody reads there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.models import Company, CourierAccount, Scan, Shipment
from couriers.tracking.advice import BY_REASON, COLLECTION, OTHER, advice_for
from couriers.tracking.consignee_words import FORWARD, REVERSE, STEPS, steps_done
from couriers_ekart.mapper.statuses import NDR_STATUSES
from tests.support.parcel_states import HISTORIES, make_parcel, make_shop

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "hi")
# Words that only the trade understands.
TRADE = re.compile(
    r"\b(NDR|RTO|AWB|manifest|consignee|shipment|pickup|undelivered|in transit|origin)\b", re.I
)


@pytest.fixture
def shop(db: None) -> CourierAccount:
    return make_shop()


def get(shipment: Shipment, language: str = "en", **headers: str) -> Any:
    client = Client(headers={"Accept-Language": language, **headers})
    return client.get(f"/track/{shipment.pk}/")


def text_of(shipment: Shipment, language: str = "en") -> str:
    """What a reader sees of the page."""
    content = get(shipment, language).content.decode()
    return " ".join(strip_tags(content.partition("</head>")[2]).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", HISTORIES)
def test_each_state_has_words_for_people_outside_of_the_trade(
    shop: CourierAccount, state: str, language: str
) -> None:
    shipment = make_parcel(shop, state)
    direction = shipment.direction
    table = REVERSE if direction == Direction.REVERSE else FORWARD
    page = get(shipment, language)
    text = text_of(shipment, language)
    assert page.status_code == 200
    assert shipment.order_number in text
    assert not TRADE.search(text)
    if language == "en":
        words = table[Status(shipment.status)]
        assert str(words.title) in text
        assert str(words.text) in text
    else:
        assert not re.search(r"\b(the|courier|parcel|shop)\b", text)


@pytest.mark.parametrize("direction", Direction.values)
def test_every_status_has_words_and_steps_that_fit(direction: str) -> None:
    from couriers.contract.statuses import STATUS_FACTS

    table = REVERSE if direction == Direction.REVERSE else FORWARD
    assert set(table) == set(Status)
    for status, facts in STATUS_FACTS.items():
        done = steps_done(status, facts.category, direction)
        assert done is None or 0 <= done <= len(STEPS[direction])
        assert (done == len(STEPS[direction])) == (status == Status.DELIVERED)


@pytest.mark.parametrize("words", [str(w.title) for t in (FORWARD, REVERSE) for w in t.values()])
def test_no_title_is_a_word_of_the_trade(words: str) -> None:
    assert not TRADE.search(words)


@pytest.mark.parametrize("state", ["undelivered", "return-missed"])
def test_it_says_why_nobody_was_met_and_what_to_do(shop: CourierAccount, state: str) -> None:
    text = text_of(make_parcel(shop, state))
    assert "What you can do" in text
    assert text.count("Nobody was there when the courier came.") == 2  # now, and in the history
    assert "Keep the phone ready" in text
    assert "1800 123 4567" in text
    assert "Customer Unavailable" not in text


def test_each_reason_of_ekart_has_a_sentence_or_the_general_advice() -> None:
    for words, facts in NDR_STATUSES.items():
        advice = advice_for("ekart", Status.UNDELIVERED, Direction.FORWARD, words)
        assert advice == BY_REASON.get(facts.code, OTHER)
    codes = {facts.code for facts in NDR_STATUSES.values()}
    assert codes >= BY_REASON.keys(), "a reason that no courier has"


@pytest.mark.parametrize("reason", ["", "Meera said no, 9845012345", "customer_unavailable\x00"])
def test_a_reason_that_is_not_known_has_the_general_advice(reason: str) -> None:
    for courier in ("ekart", "a-plug-in-that-was-removed"):
        advice = advice_for(courier, Status.UNDELIVERED, Direction.FORWARD, reason)
        assert advice == OTHER
        missed = advice_for(courier, Status.NOT_PICKED, Direction.REVERSE, reason)
        assert missed is not None
        assert (missed.reason, missed.steps) == (None, COLLECTION.steps)


@pytest.mark.parametrize("state", sorted(HISTORIES.keys() - {"undelivered", "return-missed"}))
def test_there_is_nothing_to_do_in_any_other_state(shop: CourierAccount, state: str) -> None:
    assert "What you can do" not in text_of(make_parcel(shop, state))


def test_the_page_stays_where_the_couriers_plug_in_is_removed(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "undelivered")
    adapter, receiver = CourierFactory.adapter_class("ekart"), CourierFactory.receiver("ekart")
    CourierFactory.unregister("ekart")
    try:
        assert "Could not be delivered" in text_of(shipment)
    finally:
        CourierFactory.register(adapter, receiver)


@pytest.mark.parametrize(
    ("vendor", "shown"),
    [
        ("Blue Dart", "Ekart (Blue Dart)"), ("BLUEDART_SURFACE 1kg", "Ekart (Blue Dart)"),
        ("", "Ekart"), ("Ramu 9811122237", "Ekart"), ("Dart", "Ekart"),
    ],
)  # fmt: skip
def test_a_carrier_that_the_plug_in_names_is_shown_and_no_other_text(
    shop: CourierAccount, monkeypatch: pytest.MonkeyPatch, vendor: str, shown: str
) -> None:
    shipment = make_parcel(shop, "on-its-way", vendor=vendor)
    assert "Sent with Ekart " in text_of(shipment)
    carriers = ("Delhivery", "Blue Dart")
    monkeypatch.setattr(CourierFactory.adapter_class("ekart"), "carriers", carriers)
    text = text_of(shipment)
    assert text.partition("Sent with ")[2].startswith(f"{shown} ")
    assert not re.search("Ramu|SURFACE", text)
    assert ("(" in text.partition("Sent with ")[2][:12]) == ("(" in shown)


def test_the_history_is_of_days_and_hours_of_india_the_newest_first(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "booked")
    Scan.objects.all().delete()
    for hour, status in ((2, "picked_up"), (18, "in_transit"), (19, "in_transit"), (20, "")):
        at = dt.datetime(2026, 11, 2, hour, 20, tzinfo=dt.UTC)
        Scan.objects.create(shipment=shipment, at=at, status=status, courier_status=f"x{hour}")
    history = text_of(shipment).partition("History ")[2]
    assert history.startswith(
        "Tuesday, 3 November 2026 News from the courier 1:50 am On its way 12:50 am "
        "Monday, 2 November 2026 On its way 11:50 pm Picked up 7:50 am All times are of India."
    )


def test_an_expected_day_is_told_until_it_has_passed(shop: CourierAccount) -> None:
    tomorrow = timezone.now() + dt.timedelta(days=1)
    assert "Expected by" in text_of(make_parcel(shop, "on-its-way", estimated_delivery=tomorrow))
    yesterday = timezone.now() - dt.timedelta(days=2)
    late = text_of(make_parcel(shop, "on-its-way", estimated_delivery=yesterday))
    assert "and is late" in late
    assert "Expected by" not in late
    for state in ("delivered", "going-back", "cancelled", "return", "preparing"):
        told = text_of(make_parcel(shop, state, estimated_delivery=tomorrow))
        assert "xpected by" not in told, state


def test_who_pays_at_the_door_is_reminded_without_the_amount(shop: CourierAccount) -> None:
    columns = {"cod_amount": "112.00"}
    told = text_of(make_parcel(shop, "out-for-delivery", payment_mode="cod", **columns))
    assert "have the amount ready" in told
    assert "112" not in told
    prepaid = make_parcel(shop, "out-for-delivery", payment_mode="prepaid")
    assert "have the amount ready" not in text_of(prepaid)
    assert "have the amount ready" not in text_of(make_parcel(shop, "delivered"))


def test_a_test_shipment_says_so(shop: CourierAccount) -> None:
    test, real = (make_parcel(shop, "booked", is_test=is_test) for is_test in (True, False))
    assert "Test order: there is no real parcel." in text_of(test)
    assert "टेस्ट ऑर्डर" in text_of(test, "hi")
    assert "Test order" not in text_of(real)


def test_the_shops_contact_is_shown_as_links(shop: CourierAccount) -> None:
    content = get(make_parcel(shop, "booked")).content.decode()
    assert 'href="tel:18001234567"' in content
    assert 'href="mailto:help@kesar.example"' in content
    assert 'href="https://kesar.example/help" rel="noreferrer"' in content
    assert "Kesar &amp; Co Textiles" in content
    Company.objects.update(support_phone="", support_email="", support_url="")
    assert "Write to the shop where you ordered" in text_of(make_parcel(shop, "booked"))


def test_a_shop_without_a_logo_has_its_name(account: Any, shipment: Shipment) -> None:
    content = get(shipment).content.decode()
    assert str(account.company) in content
    assert "<img" not in content


PERSONAL = {
    "consignee_name": "Meera Canaryname", "consignee_phone": "9811122233",
    "consignee_address": "7 Canarystreet", "consignee_city": "Canarytown",
    "consignee_state": "Kerala", "consignee_pincode": "682001",
    "courier_status": "with Canaryneighbour", "ndr_reason": "Canaryreason 9811122234",
    "failure": "Canaryfailure", "vendor": "Canaryvendor", "service": "canaryservice",
    "courier_order_id": "CANARYORDERID", "return_reason": "Canarytoo small",
    "courier_tracking_url": "https://canaryurl.example/9811122235",
    "options": {"alternate_phone": "9811122236"}, "items": [{"name": "Canaryshirt"}],
    "charges": {"total": "canarycharge"}, "warnings": [{"message": "Canarywarning"}],
    "former_tracking_ids": ["CANARYFORMER"], "invoice_number": "CANARYINVOICE",
}  # fmt: skip
SCANNED = {
    "courier_type": "Canarytype", "courier_status": "left with Canaryguard",
    "courier_code": "CANARYCODE", "ndr_reason": "ring 9811122237",
    "location": "Gate of Canaryplace", "description": "given to Canaryhand",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_consignee_and_no_word_of_the_courier_is_on_any_page(
    shop: CourierAccount, language: str
) -> None:
    for state in HISTORIES:
        shipment = make_parcel(shop, state, **PERSONAL)
        for scan in Scan.objects.filter(shipment=shipment):
            Scan.objects.filter(pk=scan.pk).update(**SCANNED)
        answer = get(shipment, language)
        sent = answer.content.decode() + str(answer.headers)
        assert not re.search("canary|98111222|682001|meera|kerala", sent, re.I), state


def test_no_column_with_personal_data_is_read(
    shop: CourierAccount, django_assert_num_queries: Any
) -> None:
    shipment = make_parcel(shop, "undelivered")
    with django_assert_num_queries(2) as queries:
        get(shipment)
    for query in queries.captured_queries:
        assert not re.search(r'consignee|phone_hash|"options"|"items"', query["sql"])


def test_a_page_that_has_not_changed_is_not_sent_again(shop: CourierAccount) -> None:
    shipment = make_parcel(shop, "on-its-way")
    first = get(shipment)
    assert first["Cache-Control"] == "private, max-age=60"
    tag = {"If-None-Match": first["ETag"]}
    again = get(shipment, "en", **tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, max-age=60"
    assert get(shipment, "hi", **tag).status_code == 200
    Shipment.objects.update(status="delivered")
    assert get(shipment, "en", **tag).status_code == 200


def test_another_method_is_refused_and_the_methods_are_named(shipment: Shipment) -> None:
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Client(), method)(f"/track/{shipment.pk}/")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert Client().head(f"/track/{shipment.pk}/").content == b""


def test_links_do_not_carry_the_address_elsewhere_and_no_script_runs(shipment: Shipment) -> None:
    actions = {
        f"/track/{shipment.pk}/": "'none'",
        "/track/shp_none/": "'none'",
        "/track/": "'self'",
    }
    for path, action in actions.items():
        answer = Client().get(path)
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Robots-Tag"] == "noindex"
        policy = answer["Content-Security-Policy"]
        assert policy.startswith(f"default-src 'none'; base-uri 'none'; form-action {action};")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "<script" not in answer.content.decode()
        assert not answer.cookies


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"]
)
def test_a_shops_name_is_text(shop: CourierAccount, name: str) -> None:
    Company.objects.update(name=name)
    content = get(make_parcel(shop, "booked")).content.decode()
    assert name.replace("{{", "") not in content or name.startswith("{{")
    assert "<script" not in content
    assert "onerror=alert(1)>" not in content


def test_the_unknown_page_leads_to_the_form(db: None) -> None:
    answer = Client().get("/track/shp_none/")
    assert answer.status_code == 404
    assert 'href="/track/"' in answer.content.decode()
