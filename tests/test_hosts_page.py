"""The Python of docs/hosts.md runs: as the app of a host project, against the sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from couriers.contract import signals
from sandbox.process import SandboxProcess
from shipcrowd import embedded

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "hosts.md").read_text()

# What the tenants of the page do, in a process of the host project.
STORY = """
import json, os, sys
import django
django.setup()
from django.core.management import call_command
from django.db import transaction
call_command("check", fail_level="WARNING", verbosity=0)
call_command("makemigrations", "tenants", verbosity=0)
call_command("migrate", verbosity=0)
from couriers.contract.types import Address, RateRequest, PaymentMode, Parcel
from couriers.fulfilment.labels import get_label
from couriers.models import FlagKind, Shipment
from couriers.models.flag import raise_flag
from couriers.models.transactions import InsideTransaction
from couriers.rates.pricing import priced_quotes
from decimal import Decimal
from tenants import checkout, models, orders, signup

details = {"name": "Acme", "gstin": "29AAGCR4375J1ZU", "address": "1 Example Road",
           "state": "Karnataka", "pincode": "560001", "phone": "98450 12345"}
login = {"EKART_BASE_URL": os.environ["SANDBOX"], "EKART_CLIENT_ID": "sandbox",
         "EKART_USERNAME": "sandbox", "EKART_PASSWORD": "sandbox"}
there = Address("Asha Sample", "98765 43210", "9, Secret Lane", "", "", "560008")
told = {}
tenant, told["key"] = signup.sign_up("acme", details, login)
try:
    signup.sign_up("acme", details, login)
except signup.SlugTaken:
    told["slug_taken"] = models.Tenant.objects.count()
place = {"address": "2 Example Road", "city": "Bengaluru", "state": "Karnataka",
         "pincode": "560001"}
signup.add_warehouse(tenant, "Second", "9845012345", place)
told["warehouses"] = tenant.company.warehouses.count()
assert signup.new_key(tenant, "storefront") != told["key"]
told["keys"] = tenant.company.api_keys.count()

shipment = orders.ship(tenant, "A-1", there)
told["again"] = orders.ship(tenant, "A-1", there).pk == shipment.pk
checkout.check_out(tenant, "A-2", there)
try:
    with transaction.atomic():
        orders.ship(tenant, "A-3", there)
except InsideTransaction as error:
    told["inside"] = str(error)
told["refused"] = orders.ship(tenant, "A-4", Address("Asha", "1", "9, Lane", "", "", "560008"))
told["orders"] = {s.order_number: s.status for s in tenant.company.shipments.all()}

raise_flag(shipment, FlagKind.OTHER_ORDER)
from couriers.fulfilment.actions import cancel
cancel(Shipment.objects.get(order_number="A-2"))
told["parcels"] = {p.shipment_id: p.status for p in models.Parcel.objects.all()}
told["expected"] = {s.pk: s.status for s in tenant.company.shipments.all()}
told["notices"] = [n.text for n in models.Notice.objects.order_by("id")]
get_label(shipment)
request = RateRequest(pickup_pincode="560001", drop_pincode="110001",
    parcel=Parcel(240, 30, 22, 8), payment_mode=PaymentMode.PREPAID,
    invoice_amount=Decimal(799))
priced = priced_quotes(tenant.company.accounts.get(), request)[0]
told["markup"] = str(priced.price.markup / priced.quote.total * 100)
print(json.dumps(told))
"""


def files_of_the_page() -> dict[str, str]:
    """The blocks of Python, by the file that the first line of each names."""
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == PAGE.count("```python")
    return dict(blocks)


@pytest.mark.slow
def test_the_python_of_the_page_runs_in_a_host_project(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "__init__.py").touch()
    for name, text in files_of_the_page().items():
        if name == "settings.py":
            name = "host_settings.py"
            text = f"from shipcrowd.settings import *\nBASE_DIR = Path({str(tmp_path)!r})\n{text}"
            text = f"from pathlib import Path\n{text}"
        (tmp_path / name).write_text(text)
    with embedded.temporary("hosts") as servers, SandboxProcess("ekart", "--hold") as sandbox:
        environment = os.environ | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "DJANGO_SETTINGS_MODULE": "host_settings",
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "SANDBOX": sandbox.url,
            "METRICS_TOKEN": "a-token",
        }
        environment.pop("PYTEST_XDIST_WORKER", None)
        done = subprocess.run(
            [sys.executable, "-c", STORY],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["slug_taken"], told["warehouses"], told["keys"], told["again"]) == (1, 2, 2, True)
    assert told["orders"] == {"A-1": "booked", "A-2": "booked"}
    assert told["inside"].startswith("book() was called inside a database transaction")
    assert told["refused"] is None
    assert sorted(told["parcels"].values()) == ["booked", "cancelled"]
    assert told["parcels"] == told["expected"]
    paid, refused, flagged = told["notices"]
    assert (paid, flagged) == ("A-2: paid", "A-1: other_order")
    assert refused.startswith("A-4: ")
    assert float(told["markup"]) == pytest.approx(12, abs=0.1)
    assert len(list((tmp_path / "documents").rglob("*.pdf.sealed"))) == 1


def test_every_signal_and_value_is_on_the_page() -> None:
    table = PAGE[PAGE.index("## Signals") : PAGE.index("## Pricing")]
    sent = {name for name, of in vars(signals).items() if isinstance(of, signals.ShipmentSignal)}
    assert len(sent) == 6
    assert not {name for name in sent if f"| `{name}` |" not in table}
    for kind in (signals.SettledAs, signals.SettledBy, signals.ActionOutcome):
        assert not {value for value in kind if f"`{value}`" not in table}
