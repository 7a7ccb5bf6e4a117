"""Products in the admin: found and changed through the list, and loaded from a file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from couriers.models import Product
from couriers.operations.products import MAX_BYTES
from tests.support.factories import make_staff

LIST = reverse("admin:shipcrowd_couriers_product_changelist")
HEADER = b"sku,name,category,hsn_code,gst_rate,weight_g,length_cm,width_cm,height_cm\n"
CHANGING = ("view_product", "add_product", "change_product")


@pytest.fixture
def product(company: Any) -> Product:
    return Product.objects.create(company=company, sku="MUG/11_a", name="Mug", hsn_code="6912")


def operator(*codenames: str) -> Client:
    client = Client()
    client.force_login(make_staff(*codenames))
    return client


def links_of(page: Any, pattern: str) -> list[str]:
    return list(dict.fromkeys(re.findall(rf'href="([^"]*{pattern}[^"]*)"', page.content.decode())))


def upload(client: Client, url: str, company: Any, content: bytes) -> Any:
    file = SimpleUploadedFile("products.csv", content)
    return client.post(url, {"company": company.pk, "file": file}, follow=True)


def test_a_product_is_found_and_changed_through_the_list(product: Product) -> None:
    client = operator(*CHANGING)
    assert not links_of(client.get(f"{LIST}?q=kettle"), "/change/")
    for query in ("MUG/11", "mug"):
        (url,) = links_of(client.get(f"{LIST}?q={query}"), "/product/[^/]+/change/")
    form = client.get(url).context["adminform"].form
    assert "company" not in form.fields
    data = {name: form[name].value() or "" for name in form.fields}
    refused = client.post(url, data | {"hsn_code": "69", "gst_rate": "120", "sku": "a\u202eb"})
    named = ("contains U+202E", "must have 4, 6 or 8 digits", "is not a GST rate on")
    for (error,), words in zip(refused.context["errors"], named, strict=True):
        assert error.startswith(words)
    assert client.post(url, data | {"weight_g": "410"}).status_code == 302
    product.refresh_from_db()
    assert (product.weight_g, product.gst_rate) == (410, None)


def test_an_sku_is_unique_in_its_company(product: Product) -> None:
    data = {"company": product.company_id, "sku": " MUG/11_a "}
    url = reverse("admin:shipcrowd_couriers_product_add")
    page = operator(*CHANGING, "view_company").post(url, data).content.decode()
    assert "already exists" in page
    assert "couriers_one_product" not in page


def test_a_file_is_loaded_through_the_lists_button(product: Product) -> None:
    client = operator(*CHANGING)
    (url,) = links_of(client.get(LIST), "load-file")
    assert client.get(url).status_code == 200
    content = HEADER + b"MUG/11_a,Mug,,,,410,,,\nKET-2,Kettle,,,,,,,\n"
    page = upload(client, url, product.company, content)
    assert page.redirect_chain == [(LIST, 302)]
    assert "2 products: 1 added, 1 changed, 0 unchanged" in page.content.decode()
    product.refresh_from_db()
    assert (product.weight_g, product.hsn_code) == (410, "")


def test_the_problems_of_a_file_are_shown_and_nothing_is_stored(product: Product) -> None:
    client = operator(*CHANGING)
    (url,) = links_of(client.get(LIST), "load-file")
    page = upload(client, url, product.company, HEADER + b"KET-2,,,<b>,,,,,\n").content.decode()
    assert "read &quot;&lt;b&gt;&quot;, must have 4, 6 or 8 digits" in page
    page = upload(client, url, product.company, b"x" * (MAX_BYTES + 1)).content.decode()
    assert "longer than 5 MB" in page
    assert Product.objects.count() == 1


@pytest.mark.parametrize("missing", ["add_product", "change_product"])
def test_loading_a_file_needs_both_permissions(product: Product, missing: str) -> None:
    client = operator(*(name for name in CHANGING if name != missing))
    assert links_of(client.get(LIST), "load-file") == []
    url = reverse("admin:shipcrowd_couriers_product_load_file")
    for answer in (client.get(url), upload(client, url, product.company, HEADER + b"A,,,,,,,,")):
        assert answer.status_code == 403
    assert Product.objects.count() == 1
