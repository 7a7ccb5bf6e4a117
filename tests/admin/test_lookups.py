"""No list of the admin or the API can be filtered, searched or sorted by a hidden column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.db.models import Field, Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django_filters import FilterSet
from fernet_fields.fields import EncryptedField

from couriers.admin.base import ListedLookups, column_path
from couriers.api import filters as api_filters
from couriers.models import CompanyApiKey, CourierAccount, Shipment
from tests.support.admin_links import list_url
from tests.support.factories import make_api_key

HIDDEN_NAMES = {
    "password", "hashed_key", "seeded_secret_hash", "login_fingerprint", "address_hash",
    "content_hash", "login_hash", "fingerprint", "request_fingerprint",
}  # fmt: skip
LOOKUPS = ("", "__exact", "__startswith", "__isnull", "__in", "__gt", "__regex")


def is_hidden(field: Field[Any, Any]) -> bool:
    """Whether no page may tell anything of the column's values."""
    is_key = field.primary_key and field.model is CompanyApiKey  # it contains the hash
    return is_key or isinstance(field, EncryptedField) or field.name in HIDDEN_NAMES


def hidden_columns(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if is_hidden(field)}


@pytest.fixture
def pages() -> list[admin.ModelAdmin]:
    """Every page of the project's admin, those of other packages as well."""
    from shipcrowd import urls  # noqa: F401 - it registers them

    return list(admin.site._registry.values())


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op", password="op"))
    return client


def asked_by_nobody() -> Any:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


def columns_of_filters(page: admin.ModelAdmin) -> set[str]:
    request = asked_by_nobody()
    given = page.get_list_filter(request)
    return {f[0] if isinstance(f, tuple) else getattr(f, "parameter_name", f) for f in given}


def test_no_list_is_filtered_by_a_column_without_a_filter(pages: list[admin.ModelAdmin]) -> None:
    tried = 0
    for page in pages:
        listed = columns_of_filters(page)
        for field in page.model._meta.get_fields():
            if field.name in listed:
                continue
            for lookup in LOOKUPS:
                tried += 1
                allowed = page.lookup_allowed(f"{field.name}{lookup}", "a", asked_by_nobody())
                assert not allowed, (page, field.name, lookup)
    assert tried > 1000


def test_no_list_is_filtered_by_a_hidden_column_of_a_related_row(
    pages: list[admin.ModelAdmin],
) -> None:
    tried = 0
    for page in pages:
        for relation in page.model._meta.get_fields():
            if not isinstance(relation.related_model, type):
                continue
            for name in hidden_columns(relation.related_model):
                for lookup in LOOKUPS:
                    tried += 1
                    path = f"{relation.name}__{name}{lookup}"
                    if name == relation.related_model._meta.pk.name:
                        continue  # the link of a filter by a relation ends in the key
                    assert not page.lookup_allowed(path, "a", asked_by_nobody()), (page, path)
    assert tried > 100


def test_no_hidden_column_has_a_filter_a_search_or_a_column_of_a_list(
    pages: list[admin.ModelAdmin],
) -> None:
    request = asked_by_nobody()
    request.user = get_user_model()(is_superuser=True)
    for page in pages:
        shown = [
            *columns_of_filters(page), *page.get_search_fields(request),
            *page.get_list_display(request), *page.get_ordering(request),
            *(page.get_sortable_by(request) or ()),
        ]  # fmt: skip
        for name in filter(lambda one: isinstance(one, str), shown):
            path = column_path(page.model, name.lstrip("=^@-"))
            assert not _leads_to_a_hidden_column(page.model, path), (page, name)


def _leads_to_a_hidden_column(model: Any, path: str) -> bool:
    field: Any = None
    for part in filter(None, path.split("__")):
        field = model._meta.get_field(part)
        model = field.related_model
    return field is not None and not field.is_relation and is_hidden(field)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (CompanyApiKey, "hashed_key__startswith=p"),
        (CompanyApiKey, "id__startswith=a"),
        (CompanyApiKey, "pk__startswith=a"),
        (CourierAccount, "login__startswith=g"),
        (CourierAccount, "webhook_secret__isnull=1"),
        (CourierAccount, "login_fingerprint__startswith=0"),
        (CourierAccount, "company__gstin__startswith=2"),
        (CourierAccount, "company__api_keys__hashed_key__startswith=p"),
        (Shipment, "consignee_phone__isnull=0"),
        (Shipment, "consignee_address__startswith=9"),
        (Shipment, "account__login__startswith=g"),
        (get_user_model(), "password__startswith=p"),
        (get_user_model(), "email__startswith=a"),
        (Group, "user__password__startswith=p"),
    ],
)
def test_a_hidden_column_in_the_address_is_refused(
    operator: Client, model: type[Model], query: str
) -> None:
    assert operator.get(f"{list_url(model)}?{query}").status_code == 400


def test_the_filters_of_the_lists_still_work(operator: Client, shipment: Shipment) -> None:
    make_api_key(shipment.company)
    for model, query in (
        (Shipment, "status__exact=booked"),
        (Shipment, f"company__id__exact={shipment.company_id}"),
        (Shipment, "work=doubts"),
        (CompanyApiKey, "revoked__exact=0"),
        (get_user_model(), "is_staff__exact=1"),
    ):
        answer = operator.get(f"{list_url(model)}?{query}")
        assert answer.status_code == 200, query


@pytest.mark.parametrize("order", ["999", "-999", "login", "0", "1.999"])
def test_a_list_is_sorted_by_its_own_columns_alone(
    operator: Client, account: CourierAccount, order: str
) -> None:
    answer = operator.get(f"{list_url(CourierAccount)}?o={order}")
    assert answer.status_code == 200
    changes = answer.context["cl"]
    sorted_by = {str(name).lstrip("-") for name in changes.queryset.query.order_by}
    assert sorted_by
    assert sorted_by <= {*changes.list_display, *CourierAccount._meta.ordering, "pk"}


def test_the_search_of_a_field_shows_no_hidden_column(operator: Client, company: Any) -> None:
    make_api_key(company)
    query = {
        "app_label": "shipcrowd_couriers", "model_name": "courieraccount",
        "field_name": "company", "term": company.slug, "login__startswith": "g",
    }  # fmt: skip
    found = operator.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [set(row) for row in found] == [{"id", "text"}]


def filter_sets(kind: type[FilterSet] = FilterSet) -> Iterator[type[FilterSet]]:
    for child in kind.__subclasses__():
        yield child
        yield from filter_sets(child)


def test_no_filter_of_the_api_reads_a_hidden_column() -> None:
    own = [k for k in filter_sets() if k.__module__.split(".")[0] in ("couriers", "webhooks")]
    assert api_filters.__name__ in {kind.__module__ for kind in own}
    for kind in own:
        for filter_ in kind.base_filters.values():
            parts = set((filter_.field_name or "").split("__"))
            assert not parts & HIDDEN_NAMES, (kind, filter_.field_name)
            model = kind._meta.model
            assert not (model and parts & hidden_columns(model)), (kind, filter_.field_name)


def test_every_page_of_the_project_has_the_rule(pages: list[admin.ModelAdmin]) -> None:
    assert [page for page in pages if not isinstance(page, ListedLookups)] == []
