"""The admin: every model can be searched and filtered, and no secret is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers.admin.base import ReadOnlyAdmin
from couriers.models import (
    AuditEntry,
    BulkJob,
    BulkOrder,
    Company,
    CompanyApiKey,
    CourierAccount,
    CourierCall,
    CourierToken,
    IdempotencyKey,
    Scan,
    Shipment,
    StoredDocument,
)
from tests.support.admin_pages import models_of_the_apps
from tests.support.everything import SECRETS, make_everything
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
)
from tests.support.parcels import make_parcels
from webhooks.models import WebhookEvent

MODELS = models_of_the_apps()


@pytest.fixture
def operator(db: None) -> Client:
    user = get_user_model().objects.create_superuser("op", password="op")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def everything(account: Any) -> Any:
    """The account, with at least one row of every model and secrets in them."""
    return make_everything(account)


def url_name(model: Any) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_model_is_listed_with_search_and_filters_and_shows_no_secret(
    operator: Client, everything: Any, model: Any
) -> None:
    page = admin.site._registry[model]
    assert page.search_fields
    assert page.list_filter
    assert model.objects.exists()
    row = model.objects.first()
    urls = [
        reverse(f"{url_name(model)}_changelist"),
        reverse(f"{url_name(model)}_changelist") + "?q=x",
        reverse(f"{url_name(model)}_change", args=[row.pk]),
        reverse(f"{url_name(model)}_history", args=[row.pk]),
    ]
    for url in urls:
        answer = operator.get(url)
        assert answer.status_code == 200, url
        text = answer.content.decode()
        for secret in (
            *SECRETS.values(),
            "token-is-secret",
            "link-is-secret",
            "9876543210",
            "9123456780",
        ):
            assert secret not in text, f"{secret} at {url}"
        assert model is Shipment or "9, Secret Lane" not in text


READ_ONLY_MODELS = [m for m in MODELS if isinstance(admin.site._registry[m], ReadOnlyAdmin)]


@pytest.mark.parametrize("model", READ_ONLY_MODELS, ids=lambda m: m.__name__)
def test_a_read_only_list_reads_only_the_rows_of_its_page(
    operator: Client, everything: Any, model: Any
) -> None:
    url = reverse(f"{url_name(model)}_changelist")
    operator.get(url)  # reads what stands around each page for some seconds
    with CaptureQueriesContext(connection) as queries:
        page = operator.get(url)
    table = model._meta.db_table
    of_it = [query["sql"] for query in queries if f'FROM "{table}"' in query["sql"]]
    # What charts beside the rows add up is no row. All rows are never counted.
    statements = [sql for sql in of_it if sql.startswith(f'SELECT "{table}".')]
    of_rows = [sql for sql in statements if " GROUP BY " not in sql]
    assert len(of_rows) == 1
    assert " LIMIT " in of_rows[0]
    assert not [sql for sql in of_it if "COUNT(" in sql]
    assert "across all pages" not in page.content.decode()
    assert operator.get(f"{url}?p=2").status_code == 200


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        (CourierCall, "operation=create_shipment", True),
        (CourierCall, "operation=get_label", False),
        (CourierCall, "http_status=500", False),
        (IdempotencyKey, "response_status__isempty=0", True),
        (IdempotencyKey, "response_status__isempty=1", False),
        (WebhookEvent, "topic=unknown", True),
        (WebhookEvent, "topic=track_updated", False),
        (AuditEntry, "action=lift_status", False),
    ],
)
def test_read_only_lists_are_filtered_by_fixed_values(
    operator: Client, everything: Any, model: Any, query: str, found: bool
) -> None:
    page = operator.get(f"{reverse(f'{url_name(model)}_changelist')}?{query}")
    assert page.status_code == 200
    assert bool(page.context["cl"].result_list) is found


def test_read_only_rows_can_be_neither_added_nor_changed(operator: Client, everything: Any) -> None:
    for model in (Shipment, Scan, IdempotencyKey, CourierToken, AuditEntry, WebhookEvent):
        assert operator.get(reverse(f"{url_name(model)}_add")).status_code == 403
        url = reverse(f"{url_name(model)}_change", args=[model.objects.first().pk])
        assert operator.post(url, {}).status_code == 403


def post_account(operator: Client, account: Any, **changes: str) -> Any:
    """Send the form of an account with these changes."""
    form = {
        "base_url": account.base_url, "login_client_id": "c", "rollout": "live",
        "canary_percent": "5", "limits": "{}", "settings": "{}",
    }  # fmt: skip
    url = reverse(f"{url_name(CourierAccount)}_change", args=[account.pk])
    answer = operator.post(url, form | changes)
    account.refresh_from_db()
    return answer


def form_errors(answer: Any) -> dict[str, str]:
    """The errors of a form that was refused, by field."""
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    return {field: " ".join(messages) for field, messages in errors.items()}


def test_a_blank_secret_is_kept_and_a_typed_one_replaces_it(
    operator: Client, everything: Any
) -> None:
    answer = post_account(operator, everything, login_password="fresh-password")
    assert answer.status_code == 302
    assert everything.login == {
        "client_id": "c", "username": "user-is-secret", "password": "fresh-password",
    }  # fmt: skip
    assert CourierToken.objects.exists()


def test_a_new_base_url_needs_the_login_to_be_typed_again(
    operator: Client, everything: Any
) -> None:
    before = everything.base_url
    elsewhere = {"base_url": "https://elsewhere.example"}
    found = form_errors(post_account(operator, everything, **elsewhere))
    assert set(found) == {"login_username", "login_password"}
    typed = {"login_username": "u", "login_password": "p"}
    found = form_errors(post_account(operator, everything, base_url="http://e.example", **typed))
    assert "must begin with https" in found["base_url"]
    found = form_errors(post_account(operator, everything, base_url="https://10.0.0.1", **typed))
    assert "private network" in found["base_url"]
    assert everything.base_url == before
    assert post_account(operator, everything, **elsewhere, **typed).status_code == 302
    assert (everything.base_url, everything.login["password"]) == (elsewhere["base_url"], "p")
    assert not CourierToken.objects.exists()


def test_the_company_and_the_courier_of_an_account_cannot_be_changed(
    operator: Client, everything: Any
) -> None:
    company = everything.company_id
    other = {"company": str(CompanyFactory().pk), "courier": CourierRowFactory().pk}
    assert post_account(operator, everything, **other).status_code == 302
    assert (everything.company_id, everything.courier_id) == (company, "toy")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ('{"creat_shipment": {"count": 1, "window": 1}}', "known: add_address, "),
        ('{"track": {"count": 0, "window": 1}}', "track: expected"),
        ('{"track": {"count": 0.5, "window": 1}}', "track: expected"),
        ('{"track": {"count": true, "window": 1}}', "track: expected"),
        ('{"track": {"count": 1, "window": 1e-9}}', "track: expected"),
        ('{"track": {"count": 1e308, "window": 1}}', "track: expected"),
        ('{"track": {"count": 1}}', "track: expected"),
        ("[]", "must be an object"),
    ],
)
def test_invalid_limits_are_refused(operator: Client, db: None, limits: str, words: str) -> None:
    account = CourierAccountFactory()
    good = '{"track": {"count": 20, "window": 1.5}}'
    assert post_account(operator, account, limits=good).status_code == 302
    assert words in form_errors(post_account(operator, account, limits=limits))["limits"]
    assert account.limits == {"track": {"count": 20, "window": 1.5}}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": Infinity}',
        '{"a": 1e999}',
        r'{"a\u0000": 1}',
        r'{"a": "\ud800"}',
        "[" * 5000 + "]" * 5000,
        "9" * 5000,
        "{",
    ],
    ids=["infinity", "too large", "NUL", "half a character", "deep", "long number", "no JSON"],
)
def test_json_that_cannot_be_stored_is_an_error_of_its_field(
    operator: Client, everything: Any, text: str
) -> None:
    found = form_errors(post_account(operator, everything, limits=text, settings=text))
    assert set(found) == {"limits", "settings"}
    company = everything.company
    url = reverse(f"{url_name(Company)}_change", args=[company.pk])
    assert "rate_policy" in form_errors(operator.post(url, {"rate_policy": text}))


def test_a_new_api_key_is_shown_once(operator: Client, company: Any) -> None:
    form = {"company": company.pk, "name": "shop", "scopes": ["read", "book"]}
    answer = operator.post(reverse(f"{url_name(CompanyApiKey)}_add"), form)
    shown = re.search(r'id="new-key"[^>]*>(\S+)</code>', answer.content.decode())
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert shown
    key = CompanyApiKey.objects.get_from_key(shown[1])
    assert (key.company, key.scopes) == (company, ["read", "book"])
    kept = [*answer.cookies.values(), *operator.cookies.values()]
    assert not [cookie for cookie in kept if shown[1] in cookie.value]
    assert shown[1] not in str(Session.objects.get().get_decoded())
    assert shown[1] not in str(list(AuditEntry.objects.values()))
    for name in ("changelist", "change"):
        arguments = [quote(key.pk)] if name == "change" else []
        page = operator.get(reverse(f"{url_name(CompanyApiKey)}_{name}", args=arguments))
        assert page.status_code == 200
        assert shown[1] not in page.content.decode()
        assert key.prefix in page.content.decode()


def test_a_key_without_a_scope_is_refused(operator: Client, company: Any) -> None:
    url = reverse(f"{url_name(CompanyApiKey)}_add")
    form = {"company": company.pk, "name": "shop"}
    assert set(form_errors(operator.post(url, form))) == {"scopes"}
    assert set(form_errors(operator.post(url, form | {"scopes": ["all"]}))) == {"scopes"}
    with pytest.raises(IntegrityError), transaction.atomic():
        CompanyApiKey.objects.create_key(name="x", company=company, scopes=[])
    with pytest.raises(IntegrityError), transaction.atomic():
        CompanyApiKey.objects.create_key(name="x", company=company, scopes=["all"])


def test_a_label_is_shown_whose_storage_has_no_urls(
    operator: Client, everything: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any) -> str:
        raise ValueError("This file is not accessible via a URL.")

    monkeypatch.setattr("django.db.models.fields.files.FieldFile.url", property(refuse))
    label = StoredDocument.objects.get()
    page = operator.get(reverse(f"{url_name(StoredDocument)}_change", args=[label.pk]))
    text = page.content.decode()
    assert "labels/x.pdf" in text
    assert 'href="/labels' not in text


def test_the_tracking_page_shows_no_data_of_the_consignee(everything: Any) -> None:
    shipment = Shipment.objects.get()
    answer = Client().get(f"/track/{shipment.pk}/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "A-1" in text
    for word in ("Asha", "9876543210", "Secret Lane", "411004"):
        assert word not in text
    assert answer["X-Robots-Tag"] == "noindex"
    for status, words in (("in_doubt", "Being prepared"), ("delivered", "Delivered"),
                          ("lost", "Lost"), ("undelivered", "Could not be delivered")):  # fmt: skip
        Shipment.objects.update(status=status)
        assert words in Client().get(f"/track/{shipment.pk}/").content.decode()
    assert Client().get("/track/shp_nothing/").status_code == 404


def test_the_page_of_a_bulk_job_makes_few_statements_however_many_its_orders(
    operator: Client, account: Any, django_assert_max_num_queries: Any
) -> None:
    job = BulkJob.objects.create(company=account.company, total=30)
    for number, tracking_id in enumerate(make_parcels(account, 30)):
        shipment = Shipment.objects.get(tracking_id=tracking_id)
        BulkOrder.objects.create(
            job=job, position=number, order_number=shipment.order_number, shipment=shipment,
            outcome="booked", finished_at=timezone.now(), request="9, Secret Lane",
        )  # fmt: skip
    with django_assert_max_num_queries(12) as queries:
        page = operator.get(reverse(f"{url_name(BulkJob)}_change", args=[job.pk])).content.decode()
    assert shipment.order_number in page
    assert '"request"' not in str(queries.captured_queries)
