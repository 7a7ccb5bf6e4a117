"""The admin's forms: keys stay as they are, and people never read the name of a constraint."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import BaseConstraint, CheckConstraint, Model, Q, UniqueConstraint
from django.test import Client
from django.urls import reverse

from couriers.admin.base import ReadOnlyAdmin
from couriers.models import Courier, CourierAccount, Warehouse
from tests.support.admin_links import list_url, row_url
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import make_everything
from tests.support.factories import WarehouseFactory

EDITABLE = [
    model
    for model in models_of_the_apps()
    if admin.site.is_registered(model)
    and not isinstance(admin.site._registry[model], ReadOnlyAdmin)
]


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op", password="op"))
    return client


def test_the_models_that_people_edit_are_known() -> None:
    names = {model.__name__ for model in EDITABLE}
    assert {"Company", "CompanyApiKey", "Courier", "CourierAccount", "Warehouse"} <= names


def speaks_to_people(constraint: BaseConstraint) -> bool:
    """Whether a violation is told without the constraint's name."""
    if isinstance(constraint, UniqueConstraint) and constraint.condition is None:
        return bool(constraint.fields)  # Django names the fields
    return "%(name)s" not in str(constraint.violation_error_message)


@pytest.mark.parametrize("model", EDITABLE, ids=lambda model: model.__name__)
def test_no_constraint_of_a_model_that_people_edit_is_told_by_its_name(
    model: type[Model],
) -> None:
    assert [c.name for c in model._meta.constraints if not speaks_to_people(c)] == []


def test_a_constraint_without_a_message_is_found() -> None:
    assert not speaks_to_people(CheckConstraint(condition=Q(pk="x"), name="some_rule"))


@pytest.mark.parametrize("model", EDITABLE, ids=lambda model: model.__name__)
def test_the_form_of_a_stored_row_does_not_offer_its_key(
    operator: Client, account: Any, model: type[Model]
) -> None:
    make_everything(account)
    form = operator.get(row_url(model._default_manager.all()[0])).context["adminform"].form
    assert model._meta.pk.name not in form.fields


def test_the_code_of_a_courier_stays_whatever_is_sent(operator: Client, account: Any) -> None:
    row = Courier.objects.get(code="toy")
    sent = {
        "code": "toy-two", "name": "Renamed", "is_enabled": "on",
        "audit-TOTAL_FORMS": "0", "audit-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert operator.post(row_url(row), sent).status_code == 302
    assert list(Courier.objects.values_list("code", "name")) == [("toy", "Renamed")]


def post_warehouse(operator: Client, url: str, **changes: Any) -> Any:
    form = {
        "name": "Second", "contact_name": "Gate", "phone": "9845012345", "address": "2 Road",
        "city": "Bengaluru", "state": "Karnataka", "pincode": "560001",
    }  # fmt: skip
    return operator.post(url, form | changes)


def test_a_new_default_warehouse_takes_the_place_of_the_other(
    operator: Client, account: Any
) -> None:
    first = Warehouse.objects.get()
    company = str(first.company_id)
    url = f"{list_url(Warehouse)}add/"
    made = post_warehouse(operator, url, company=company, is_default="on")
    assert made.status_code == 302, made.context["adminform"].form.errors
    assert list(Warehouse.objects.filter(is_default=True).values_list("name")) == [("Second",)]
    again = post_warehouse(operator, url, company=company)
    assert "with this Company, Name and Test already exists" in again.content.decode()
    second = Warehouse.objects.get(name="Second")
    last = post_warehouse(operator, row_url(second))
    assert "make another warehouse the default instead" in last.content.decode()
    elsewhere = WarehouseFactory().company_id
    moved = post_warehouse(operator, row_url(second), company=str(elsewhere), is_default="on")
    assert moved.status_code == 302
    second.refresh_from_db()
    assert (str(second.company_id), second.is_default) == (company, True)


def test_a_share_above_100_per_cent_is_an_error_in_words(operator: Client, account: Any) -> None:
    form = {"rollout": "canary", "percent": "101", "reason": "first day", "seen": "live:5"}
    url = reverse("admin:shipcrowd_switch_account", args=[account.pk])
    text = operator.post(url, form).content.decode()
    assert "less than or equal to 100" in text
    assert "Constraint" not in text
    assert CourierAccount.objects.get().rollout == "live"
