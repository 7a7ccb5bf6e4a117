"""The admin's page of a company's logo, and the public contact on the company's page."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from couriers.models import AuditEntry, Company, CompanyLogo
from tests.support.admin_links import list_url, row_url
from tests.support.parcel_states import give_logo, png_of


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("op"))
    return client


def upload(operator: Client, url: str, content: bytes, name: str = "logo.png", **more: Any) -> Any:
    return operator.post(url, {"image": SimpleUploadedFile(name, content), **more})


def test_a_logo_is_uploaded_replaced_and_deleted(operator: Client, account: Any) -> None:
    company = account.company
    add = f"{list_url(CompanyLogo)}add/"
    assert upload(operator, add, png_of(), company=company.pk).status_code == 302
    logo = CompanyLogo.objects.get()
    assert (logo.company_id, logo.width, logo.height) == (company.pk, 480, 144)
    for page in (operator.get(list_url(CompanyLogo)), operator.get(row_url(logo))):
        assert f"/track/logos/{logo.digest}" in page.content.decode()
    assert upload(operator, row_url(logo), png_of(90, 90)).status_code == 302
    logo.refresh_from_db()
    assert (logo.width, logo.height) == (90, 90)
    assert logo.digest == hashlib.sha256(bytes(logo.content)).hexdigest()[:32]
    operator.post(row_url(logo).replace("change", "delete"), {"post": "yes"})
    assert not CompanyLogo.objects.exists()
    acts = AuditEntry.objects.filter(model="shipcrowd_couriers.companylogo")
    assert sorted(acts.values_list("action", flat=True)) == ["add", "change", "delete"]


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"GIF89a" + b"\0" * 90, png_of()[:300]])
def test_what_is_no_logo_is_refused_in_words(
    operator: Client, account: Any, content: bytes
) -> None:
    add = f"{list_url(CompanyLogo)}add/"
    answer = upload(operator, add, content, company=account.company.pk)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["image"]
    assert not CompanyLogo.objects.exists()


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("support_phone", ("1800 123 4567", "+91 98450-12345", "08012345678", "19123"),
         ("javascript:1", "12", "98450 12345 or 98450 12346", "+", "1 2 3 4 ", "٠١٢٣٤٥٦")),
        ("support_email", ("help@shop.example",), ("help", "a@b@c", "x@y.example\n", "a" * 300)),
        ("support_url", ("https://shop.example/help", "http://shop.example"),
         ("javascript:alert(1)", "ftp://shop.example", "shop.example", "//shop.example", "data:x",
          "https://" + "x" * 300)),
    ],
)  # fmt: skip
def test_a_contact_is_what_its_field_says(
    account: Any, field: str, good: tuple[str, ...], bad: tuple[str, ...]
) -> None:
    from django.core.exceptions import ValidationError

    company: Company = account.company
    for value in good:
        setattr(company, field, value)
        company.full_clean()
    for value in bad:
        setattr(company, field, value)
        with pytest.raises(ValidationError) as refused:
            company.full_clean()
        assert list(refused.value.message_dict) == [field], value


def test_the_companys_page_leads_to_the_form_and_to_the_logo(
    operator: Client, account: Any
) -> None:
    company = account.company
    page = operator.get(row_url(company)).content.decode()
    assert f"http://127.0.0.1:8000/track/find/{company.slug}/" in page
    assert f"{list_url(CompanyLogo)}add/?company={company.pk}" in page
    give_logo(company, png_of())
    page = operator.get(row_url(company)).content.decode()
    assert row_url(CompanyLogo.objects.get()) in page
    assert f"{list_url(CompanyLogo)}add/?company={company.pk}" not in page
