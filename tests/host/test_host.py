"""A project that is not ours books, follows and shows shipments with the wheel installed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.process import SandboxProcess
from tests.host.shop import SCRIPT_NAME, Shop, wait_for
from tests.support.orders import ORDER

pytestmark = pytest.mark.slow

API = "/back/ship/v1"
FOLDER = Path(__file__).resolve().parent


def order(number: str, **changes: Any) -> dict[str, Any]:
    return ORDER | {"courier": "ekart", "order_number": number} | changes


def book(shop: Shop, number: str) -> dict[str, Any]:
    answer = shop.request("POST", f"{API}/shipments/", order(number))
    assert answer.status == 201, answer.text
    return dict(answer.json())


def test_the_wheel_is_what_runs_and_its_checks_find_no_error(shop: Shop) -> None:
    where = shop.run("-c", "import couriers; print(couriers.__file__)").stdout
    assert "site-packages" in where
    done = shop.run("manage.py", "check")
    assert set(re.findall(r"\((\w+\.\w\d+)\)", done.stderr)) == {"couriers.W011"}
    shop.run("manage.py", "makemigrations", "--check", "--dry-run")


def test_the_check_knows_that_the_public_address_leads_to_the_project(shop: Shop) -> None:
    assert "webhooks.W001" not in shop.run("manage.py", "check", "--deploy").stderr
    elsewhere = shop.url.removesuffix(SCRIPT_NAME) + "/elsewhere"
    done = shop.run("manage.py", "check", "--deploy", SHOP_URL=elsewhere)
    assert "elsewhere/in/couriers/, answers " in done.stderr


def test_a_parcel_is_delivered_by_callbacks_at_the_printed_address(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    callback = shop.seeded["webhook_url"]
    assert callback.startswith(f"{shop.url}/in/couriers/ekart/acc_")
    booked = book(shop, "H-1")
    place = f"{API}/shipments/{booked['id']}/"
    wait_for(lambda: shop.get(place).json()["status"] == "delivered", "the delivery")
    assert shop.get(f"{place}scans/").json()[-1]["status"] == "delivered"
    assert len([s for s in sandbox.shipments() if s["order_number"].endswith("H-1")]) == 1
    unsigned = shop.request("POST", urlsplit(callback).path.removeprefix(SCRIPT_NAME), {})
    assert unsigned.status == 401


def test_addresses_in_answers_lead_to_what_they_name(shop: Shop) -> None:
    answer = shop.request("POST", f"{API}/shipments/", order("H-2"))
    booked = answer.json()
    assert answer.headers["Location"] == f"{SCRIPT_NAME}{API}/shipments/{booked['id']}/"
    assert booked["tracking_url"] == f"{shop.url}/parcels/{booked['id']}/"
    page = shop.get(booked["tracking_url"])
    assert (page.status, "H-2" in page.text) == (200, True)
    book(shop, "H-3")
    following = shop.get(f"{API}/shipments/?page_size=1").json()["next"]
    assert shop.get(following).json()["results"][0]["order_number"] == "H-2"
    again = shop.request("POST", f"{API}/shipments/", order("H-2"))
    assert (again.status, again.text) == (201, answer.text)
    problem = shop.get(f"{API}/shipments/shp_none/").json()
    assert problem["type"] == f"{SCRIPT_NAME}/back/faults/not-found"
    assert "no such row" in shop.get(problem["type"].removeprefix(SCRIPT_NAME)).text


def test_the_projects_rest_framework_changes_nothing(shop: Shop) -> None:
    refused = shop.request("POST", f"{API}/shipments/", order("H-4", order_date="23/11/2026"))
    assert (refused.status, refused.json()["errors"][0]["field"]) == (400, "order_date")
    assert refused.headers["Content-Type"] == "application/problem+json"
    wrong = shop.request("POST", f"{API}/shipments/", order("H-4", consignee=7)).json()
    assert wrong["errors"][0]["field"] == "consignee"
    assert shop.get(f"{API}/ops/in-doubt/").status == 403
    unkeyed = shop.request("GET", f"{API}/shipments/", Authorization="")
    assert (unkeyed.status, unkeyed.headers["WWW-Authenticate"]) == (401, "Api-Key")
    assert unkeyed.json()["title"] == "Not authenticated"
    added = shop.request("POST", f"{API}/warehouses/", {
        "name": "Second", "contact_name": "Asha", "phone": "9845012345",
        "address": "2 Example Road", "city": "Bengaluru", "state": "Karnataka",
        "pincode": "560001",
    })  # fmt: skip
    assert added.headers["Location"] == f"{SCRIPT_NAME}{API}/warehouses/{added.json()['id']}/"
    found = shop.get(f"{API}/shipments/?order_number=H").json()
    assert found["results"] == []


def test_a_path_without_its_slash_books(shop: Shop) -> None:
    answer = shop.request("POST", f"{API}/shipments", order("H-5"))
    assert answer.status == 201
    assert shop.get(f"{API}/shipments/{answer.json()['id']}").json()["order_number"] == "H-5"
    assert shop.get(f"{API}/manifests").status == 200


def test_workers_of_the_projects_celery_application_do_the_work(shop: Shop) -> None:
    submitted = shop.request("POST", f"{API}/shipments/bulk/", {"orders": [order("H-6")]})
    assert submitted.status == 202
    place = submitted.headers["Location"].removeprefix(SCRIPT_NAME)
    wait_for(lambda: shop.get(place).json()["state"] == "done", "the end of the job")
    (outcome,) = shop.get(f"{place}orders/").json()["results"]
    assert outcome["outcome"] == "booked"
    shipment = shop.get(f"{API}/shipments/{outcome['shipment']}/").json()
    # A worker knows no SCRIPT_NAME, and tells the same address.
    assert shipment["tracking_url"].startswith(f"{shop.url}/parcels/")


def test_the_schema_and_its_page_are_those_of_this_project(shop: Shop) -> None:
    schema = shop.get("/back/ship/schema/", Accept="application/json").json()
    assert schema["info"]["title"] == "Shipcrowd"
    assert schema["servers"] == [{"url": shop.url}]
    assert f"{API}/shipments/bulk/" in schema["paths"]
    assert f"{API}/ops/webhook-events/" in schema["paths"]
    page = shop.get("/back/ship/docs/")
    assert (page.status, "swagger-ui" in page.text) == (200, True)
    assert f"{SCRIPT_NAME}/back/ship/schema/" in shop.get("/back/ship/docs/?script=true").text


def test_every_page_of_every_model_is_shown_in_the_projects_admin(shop: Shop) -> None:
    script = (FOLDER / "admin_script.py").read_text()
    shutil.copytree(FOLDER.parent / "support", shop.folder / "tests" / "support")
    (shop.folder / "admin_script.py").write_text(script)
    printed = shop.run("admin_script.py", DJANGO_SETTINGS_MODULE="shop.settings").stdout
    told = json.loads(printed.splitlines()[-1])
    assert len(told["pages"]) > 60
    for path in told["pages"]:
        assert path.startswith(f"{SCRIPT_NAME}/office/")
        page = shop.get(path.removeprefix(SCRIPT_NAME), Cookie=told["cookie"], Authorization="")
        assert (path, page.status) == (path, 200)
    listed = shop.get(f"{API}/ops/in-doubt/", Cookie=told["cookie"], Authorization="")
    assert (listed.status, listed.json()) == (200, [])
