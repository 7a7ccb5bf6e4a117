"""A user who is held to companies sees and touches no row of another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from couriers.admin.base import PageAdmin
from couriers.models import Company, Courier, CourierAccount, Shipment, StaffScope
from couriers.operations.staff import companies_of
from tests.support.admin_links import list_url, row_url
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import make_everything
from tests.support.factories import CourierAccountFactory, CourierRowFactory, WarehouseFactory
from webhooks.models import WebhookEvent

MODELS = [model for model in models_of_the_apps() if admin.site.is_registered(model)]


def page_of(model: type[Model]) -> Any:
    return admin.site.get_model_admin(model)


HELD = [model for model in MODELS if page_of(model).company_path]


def reaches_company(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    """Whether foreign keys lead from the model to companies."""
    if model is Company:
        return True
    related = {f.related_model for f in model._meta.concrete_fields if f.related_model}
    return any(reaches_company(one, seen | {model}) for one in related - seen - {model})


@pytest.fixture
def other(account: Any) -> CourierAccount:
    """An account of a second company, which has one row of every model, as the first one has."""
    company = WarehouseFactory(company__slug="stranger", company__name="Stranger & Co").company
    other = CourierAccountFactory(company=company, courier=CourierRowFactory(code="toy"))
    make_everything(account)
    make_everything(other)
    other.courier.rollout = "companies"
    other.courier.save()
    return other


@pytest.fixture
def held(client: Client, account: Any, other: Any) -> Client:
    """A client of a user with every permission, who is held to the first company."""
    user = get_user_model().objects.create_superuser("held")
    StaffScope.objects.create(user=user).companies.add(account.company)
    client.force_login(user)
    return client


def request_of(client: Client) -> Any:
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.get(pk=client.session["_auth_user_id"])
    return request


def rows_of(model: type[Model], company: Company) -> list[Model]:
    return list(model._default_manager.filter(**{page_of(model).company_path: company.pk}))


def test_every_page_of_a_table_that_leads_to_a_company_says_how() -> None:
    for model in MODELS:
        assert isinstance(page_of(model), PageAdmin)
        assert bool(page_of(model).company_path) == reaches_company(model), model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_list_names_another_company(
    held: Client, model: type[Model], account: Any, other: Any
) -> None:
    answer = held.get(list_url(model), follow=True)
    text = answer.content.decode()
    for word in (other.company.slug, "Stranger", other.pk, Shipment.objects.get(account=other).pk):
        assert word not in text, word
    if model in HELD:
        mine, theirs = rows_of(model, account.company), rows_of(model, other.company)
        assert mine
        assert theirs
        assert {row.pk for row in answer.context["cl"].queryset} == {row.pk for row in mine}


@pytest.mark.parametrize("model", HELD, ids=lambda model: model.__name__)
def test_a_typed_key_of_another_company_opens_nothing(
    held: Client, model: type[Model], other: Any
) -> None:
    for row in rows_of(model, other.company):
        for page in ("change", "history", "delete"):
            url = row_url(row, page)
            answer = held.get(url)
            assert answer.status_code in (302, 403, 404), url
            assert "Stranger" not in held.get(url, follow=True).content.decode()
        for button in page_of(model).actions_detail:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{button}"
            answer = held.get(reverse(name, args=[row.pk]), follow=True)
            assert answer.status_code in (403, 404) or "Stranger" not in answer.content.decode()


DECISIONS = [
    "settle_doubt", "lift_status", "correct_id", "clear_flag", "proof_of_delivery",
]  # fmt: skip


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_about_another_companys_shipment_is_not_found(
    held: Client, name: str, other: Any
) -> None:
    url = reverse(f"admin:shipcrowd_{name}", args=[Shipment.objects.get(account=other).pk])
    assert held.get(url).status_code == held.post(url).status_code == 404


def test_other_decisions_are_not_found_or_forbidden(held: Client, other: Any) -> None:
    warehouse = other.company.warehouses.get()
    reference = reverse("admin:shipcrowd_give_reference", args=[warehouse.pk])
    event = WebhookEvent.objects.get(account=other)
    replay = reverse("admin:shipcrowd_replay_event", args=[event.pk])
    assert held.post(reference).status_code == held.post(replay).status_code == 404
    assert held.get(reverse("admin:shipcrowd_rollout", args=["toy"])).status_code == 403
    courier = held.get(row_url(Courier.objects.get(pk="toy"))).content.decode()
    assert "stranger" not in courier


def test_a_replay_of_the_selected_takes_no_callback_of_another_company(
    held: Client, account: Any, other: Any
) -> None:
    WebhookEvent.objects.update(state="dead")
    ids = [str(event.pk) for event in WebhookEvent.objects.all()]
    form = {"action": "replay_selected", "_selected_action": ids, "confirmed": "1"}
    held.post(list_url(WebhookEvent), form)
    assert WebhookEvent.objects.get(account=other).state == "dead"
    assert WebhookEvent.objects.get(account=account).state == "pending"


def fields_with_choices(request: Any) -> Iterator[tuple[type[Model], str, Any]]:
    """Yield every field of a form of the admin that chooses rows."""
    for model in MODELS:
        page = page_of(model)
        if not page.has_add_permission(request):
            continue
        for name, field in page.get_form(request).base_fields.items():
            if isinstance(field, forms.ModelChoiceField):
                yield model, name, field


def test_forms_offer_and_accept_no_row_of_another_company(held: Client, other: Any) -> None:
    request = request_of(held)
    tried = []
    for model, name, field in fields_with_choices(request):
        path = getattr(page_of(field.queryset.model), "company_path", "")
        if path:
            tried.append(f"{model.__name__}.{name}")
            assert not field.queryset.filter(**{path: other.company.pk}).exists(), tried[-1]
    assert {"CourierAccount.company", "CompanyApiKey.company", "Warehouse.company"} <= set(tried)


def test_a_row_for_another_company_cannot_be_added(held: Client, other: Any) -> None:
    form = {"company": other.company.pk, "sku": "NEW", "name": "n", "hsn_code": "6912"}
    answer = held.post("/admin/shipcrowd_couriers/product/add/", form)
    assert "company" in answer.context["errors"].data[0][0] or answer.status_code == 200
    assert not other.company.products.filter(sku="NEW").exists()
    loading = reverse("admin:shipcrowd_couriers_product_load_file")
    assert "stranger" not in held.get(loading).content.decode()


def test_completion_offers_nothing_of_another_company(held: Client) -> None:
    tried = 0
    for model in MODELS:
        for name in page_of(model).autocomplete_fields:
            asked = {
                "app_label": model._meta.app_label, "model_name": model._meta.model_name,
                "field_name": name, "term": "",
            }  # fmt: skip
            answer = held.get(reverse("admin:autocomplete"), asked)
            if answer.status_code != 403:  # of pages that a held user does not see
                tried += 1
                assert "tranger" not in answer.content.decode(), name
    assert tried >= 4


def test_nobody_who_is_held_changes_who_is_held(held: Client) -> None:
    scope = StaffScope.objects.get(user__username="held")
    assert held.get(list_url(StaffScope)).status_code == 403
    assert held.post(row_url(scope), {"companies": []}).status_code in (302, 403)
    assert held.post(row_url(scope, "delete"), {"post": "yes"}).status_code in (302, 403)
    assert companies_of(get_user_model().objects.get(username="held")) is not None
    assert list_url(StaffScope) not in held.get("/admin/").content.decode()


def test_the_staff_api_shows_and_does_nothing_of_another_company(
    held: Client, account: Any, other: Any
) -> None:
    Shipment.objects.update(status="in_doubt")
    base = "/api/v1/ops"
    theirs = Shipment.objects.get(account=other)
    event = WebhookEvent.objects.get(account=other)
    (doubt,) = held.get(f"{base}/in-doubt/").json()
    assert doubt["company"] == account.company.slug
    (listed,) = held.get(f"{base}/webhook-events/").json()["results"]
    assert listed["account"] == account.pk
    body = {"reason": "not there"}
    refused = [
        held.post(f"{base}/in-doubt/{theirs.pk}/release/", body, "application/json"),
        held.delete(f"{base}/circuits/{other.pk}/"),
        held.get(f"{base}/webhook-events/{event.pk}/"),
        held.post(f"{base}/webhook-events/{event.pk}/replay/"),
    ]
    assert [answer.status_code for answer in refused] == [404] * 4
    many = held.post(f"{base}/webhook-events/replay/", {"ids": [event.pk]}, "application/json")
    assert many.json() == {"replayed": 0}
