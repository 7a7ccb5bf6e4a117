"""Companies with one row of everything, in live and test mode, and the routes of the API to walk.

A new route needs a row in ROUTES, and a new query parameter one in PARAMETERS.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from couriers.contract.types import Address
from couriers.models import (
    BulkJob,
    BulkOrder,
    Company,
    CompanyApiKey,
    CourierAccount,
    CourierRule,
    Event,
    LabelJob,
    Manifest,
    ManifestChunk,
    Product,
    Scan,
    Shipment,
    ShipmentAction,
    Warehouse,
    WarehousePickup,
)
from tests.support.admin_pages import models_of_the_apps
from tests.support.drafts import DRAFT
from tests.support.everything import make_everything
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    WarehouseFactory,
    make_api_key,
)
from webhooks.models import WebhookEndpoint

Mode = tuple[int, bool]  # a company's key, and whether a row is a test row
SHORTEST = 5  # characters of a text that is looked for
# The relations that lead from a row to one that says whether it is a test row.
TO_THE_MODE = ("shipment", "account", "warehouse", "manifest", "job", "endpoint")


@dataclass(frozen=True)
class Tenant:
    """A company in one mode. `words` are the texts that its rows alone have."""

    account: CourierAccount
    key: str
    words: frozenset[str] = frozenset()

    @property
    def mode(self) -> Mode:
        return self.account.company_id, self.account.is_test

    def row(self, model: Any) -> Any:
        """A row of the tenant."""
        return next(
            one for one in model._default_manager.order_by("pk") if mode_of(one) == self.mode
        )

    def id_of(self, model: Any) -> str:
        row = self.row(model)
        return f"key_{row.prefix}" if model is CompanyApiKey else str(row.pk)


@dataclass(frozen=True)
class Route:
    """What is sent to a route: the row whose id is in its path, and a body that names rows.

    A body is the same for every method. `status` is the answer where the path has no id: what a
    request gets that names rows of another tenant.
    """

    model: type[Model] | None = None
    body: Callable[[Tenant], Any] = lambda tenant: {}
    statuses: frozenset[int] = field(default_factory=lambda: frozenset({200, 201, 202, 400, 404}))


REFUSED = frozenset({400, 404, 422})


ORDER: dict[str, Any] = {
    "courier": "toy", "order_number": "ORDER-OF-THE-WALK", "order_date": "2026-11-23",
    "payment_mode": "prepaid",
    "consignee": {
        "name": "Walker", "phone": "9000000001", "address": "1, Long Walk", "pincode": "560008",
    },
    "items": [{"name": "Mug", "quantity": 1, "value": "100.00", "gst_rate": "12"}],
    "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
}  # fmt: skip


RULE = {"name": "RULE-OF-THE-WALK", "strategy": "priority", "couriers": [{"courier": "toy"}]}


def _order(tenant: Tenant) -> dict[str, Any]:
    return ORDER | {"warehouse": tenant.id_of(Warehouse)}


def _shipments(tenant: Tenant) -> dict[str, Any]:
    return {"shipments": [tenant.id_of(Shipment)]}


# Every route of the API by its path below /api/v1/, `{}` for an id. Those of staff are apart.
ROUTES: dict[str, Route] = {
    "shipments/": Route(body=_order, statuses=frozenset({200, 400})),
    "shipments/bulk/": Route(body=lambda t: {"orders": [_order(t)]}),
    "shipments/{}/": Route(Shipment),
    "shipments/{}/scans/": Route(Shipment),
    "shipments/{}/actions/": Route(Shipment),
    "shipments/{}/label/": Route(Shipment),
    "shipments/{}/label/data/": Route(Shipment),
    "shipments/{}/proof-of-delivery/": Route(Shipment),
    "shipments/{}/track/": Route(Shipment),
    "shipments/{}/cancel/": Route(Shipment),
    "shipments/{}/reattempt/": Route(Shipment, lambda t: {"date": "2026-12-01"}),
    "shipments/{}/rto/": Route(Shipment),
    "shipments/{}/address/": Route(Shipment, lambda t: {"phone": "9000000001"}),
    "shipments/{}/dispatch-date/": Route(Shipment, lambda t: {"date": "2026-12-01"}),
    "shipments/{}/return/": Route(Shipment, lambda t: {"return_reason": "small"}),
    "labels/": Route(body=_shipments, statuses=REFUSED),
    "labels/{}/": Route(LabelJob),
    "labels/{}/file/": Route(LabelJob),
    "jobs/": Route(),
    "jobs/{}/": Route(BulkJob),
    "jobs/{}/orders/": Route(BulkJob),
    "jobs/{}/cancel/": Route(BulkJob),
    "couriers/": Route(),
    "couriers/performance/": Route(),
    "couriers/{}/": Route(),
    "products/": Route(body=lambda t: {"sku": "SKU-OF-THE-WALK"}),
    "products/{}/": Route(Product, lambda t: {"sku": "SKU-OF-THE-WALK"}),
    "courier-rules/": Route(body=lambda t: RULE),
    "courier-rules/preview/": Route(body=lambda t: _order(t) | {"courier": "auto"}),
    "courier-rules/simulation/": Route(),
    "courier-rules/reorder/": Route(body=lambda t: {"rules": [t.id_of(CourierRule)]}),
    "courier-rules/{}/": Route(CourierRule, lambda t: RULE),
    "rates/": Route(
        body=lambda t: {
            "courier": "toy",
            "pickup_pincode": "560001",
            "drop_pincode": "411004",
            "parcel": ORDER["parcel"],
            "payment_mode": "prepaid",
            "invoice_amount": "100.00",
        },
        statuses=frozenset({200, 422}),
    ),
    "serviceability/": Route(statuses=frozenset({200, 400, 422})),
    "warehouses/": Route(body=lambda t: {"name": "Walk"}),
    "warehouses/{}/": Route(Warehouse, lambda t: {"name": "Walk"}),
    "warehouses/{}/pickups/": Route(
        Warehouse, lambda t: {"courier": "toy", "date": "2026-12-01", "count": 1}
    ),
    "manifests/": Route(
        body=lambda t: {"courier": "toy", **_shipments(t)}, statuses=frozenset({200, 400, 422})
    ),
    "manifests/{}/": Route(Manifest),
    "manifests/{}/documents/{}/": Route(Manifest),
    "keys/": Route(body=lambda t: {"name": "walk"}),
    "keys/{}/": Route(CompanyApiKey),
    "keys/{}/roll/": Route(CompanyApiKey),
    "events/": Route(),
    "events/{}/": Route(Event),
    "webhook-endpoints/": Route(body=lambda t: {"url": "https://walk.example/"}),
    "webhook-endpoints/{}/": Route(WebhookEndpoint, lambda t: {"description": "walk"}),
    "webhook-endpoints/{}/rotate-secret/": Route(WebhookEndpoint),
    "webhook-endpoints/{}/test/": Route(WebhookEndpoint),
    "webhook-endpoints/{}/resend/": Route(WebhookEndpoint, lambda t: {"event": t.id_of(Event)}),
    "webhook-endpoints/{}/deliveries/": Route(WebhookEndpoint),
}
# No key of a company opens these.
STAFF_ROUTES = frozenset(
    {
        "ops/in-doubt/", "ops/in-doubt/{}/resolve/", "ops/in-doubt/{}/release/", "ops/circuits/",
        "ops/circuits/{}/", "ops/webhook-events/", "ops/webhook-events/replay/",
        "ops/webhook-events/{}/", "ops/webhook-events/{}/replay/",
    }
)  # fmt: skip
# Every query parameter of a route, with values that name rows of the tenant or would show more.
PARAMETERS: dict[str, Callable[[Tenant], list[str]]] = {
    "cursor": lambda t: [],  # whatever it is, the page is among the key's own rows
    "page_size": lambda t: ["200"],
    "sku": lambda t: [t.row(Product).sku],
    "courier": lambda t: ["toy"],
    "status": lambda t: [t.row(Shipment).status],
    "direction": lambda t: ["forward"],
    "payment_mode": lambda t: ["prepaid"],
    "order_number": lambda t: [t.row(Shipment).order_number],
    "tracking_id": lambda t: [t.row(Shipment).tracking_id],
    "created_after": lambda t: ["2000-01-01T00:00:00Z"],
    "created_before": lambda t: ["2100-01-01T00:00:00Z"],
    "pincode": lambda t: ["411004"],
    "origin": lambda t: ["560001"],
    "type": lambda t: ["shipment.booked"],
    "shipment": lambda t: [t.id_of(Shipment)],
    "event": lambda t: [t.id_of(Event)],
    "state": lambda t: ["pending"],
    "outcome": lambda t: ["pending"],
    "updated_after": lambda t: ["2000-01-01T00:00:00Z"],
    "updated_before": lambda t: ["2100-01-01T00:00:00Z"],
    "needs_action": lambda t: ["true", "false"],
    "waybill": lambda t: [t.row(Shipment).waybill],
    "sort": lambda t: ["updated_at"],
    "total": lambda t: ["true"],
    "metadata[tag]": lambda t: [t.row(Shipment).metadata["tag"]],
    "default": lambda t: ["gst_rate=5"],
    "file_format": lambda t: ["auto"],
    "month_from": lambda t: ["2026-01"],
    "month_to": lambda t: ["2028-12"],
    "lanes": lambda t: ["true", "false"],
    "pickup_pincode": lambda t: ["560001"],
    "drop_pincode": lambda t: ["411004"],
    "both_ways": lambda t: ["true"],
    "ignore_columns": lambda t: ["Colour"],
}
# What these routes need in every request.
NEEDED = {"serviceability/": {"courier": "toy", "pincode": "411004"}}


def routes(prefix: str = "api/v1/") -> Iterator[tuple[str, URLPattern]]:
    """Yield the path below `prefix` of each route, with `{}` for an id, and its pattern."""
    for path, pattern in _patterns(get_resolver().url_patterns, ""):
        if path.startswith(prefix):
            yield path.removeprefix(prefix), pattern


def _patterns(entries: Any, before: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        path = before + _path_of(entry)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, path)
        else:
            yield path, entry


def _path_of(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern)
    if isinstance(entry.pattern, RegexPattern):  # of a router
        text = text.lstrip("^").removesuffix("\\Z").rstrip("$")
        begin, group, rest = text.partition("(?P<pk>")
        return f"{begin}{{}}{rest.partition(')')[2]}" if group else text
    for name in entry.pattern.converters:
        begin, _, rest = text.partition("<")
        inside, _, after = rest.partition(">")
        assert inside.rpartition(":")[2] == name
        text = f"{begin}{{}}{after}"
    return text


def make_tenant(tag: str, *, company: Company | None = None, is_test: bool = False) -> Tenant:
    """Make a company, or one more mode of it, with a row of everything whose texts have the tag."""
    company = company or CompanyFactory(slug=f"slug-{tag}", name=f"Company {tag}")
    WarehouseFactory(
        company=company, is_test=is_test, name=f"Depot {tag}", contact_name=f"Guard {tag}",
        address=f"Gate of {tag}",
    )  # fmt: skip
    account = CourierAccountFactory(
        company=company, courier=CourierRowFactory(code="toy", name="Toy"), is_test=is_test
    )
    phone = f"9{sum(map(ord, tag)):09d}"
    draft = dataclasses.replace(
        DRAFT,
        order_number=f"ORDER-{tag}",
        consignee=Address(f"Person {tag}", phone, f"House of {tag}", "", "", "560008"),
        metadata={"tag": f"CART-{tag}"},
    )
    make_everything(account, draft)
    mine = {"shipment__account": account}
    Scan.objects.filter(**mine).update(location=f"HUB {tag}", courier_status=f"At {tag}")
    ShipmentAction.objects.filter(**mine).update(words=f"Remark {tag}")
    Shipment.objects.filter(account=account).update(waybill=f"WAYBILL-{tag}")
    Product.objects.filter(company=company, is_test=is_test).update(
        sku=f"SKU-{tag}", name=f"Mug of {tag}"
    )
    BulkOrder.objects.filter(job__company=company, job__is_test=is_test).update(
        order_number=f"BULK-{tag}", reason=f"Reason {tag}"
    )
    ManifestChunk.objects.filter(manifest__account=account).update(
        number=f"MANIFEST-{tag}", url=f"https://files.example/{tag}.pdf", state="done"
    )
    WarehousePickup.objects.filter(account=account).update(words=f"Slot {tag}")
    return Tenant(account, make_api_key(company, is_test=is_test))


def with_words(tenants: list[Tenant]) -> list[Tenant]:
    """Return the tenants with the texts that the rows of each have, and those of no other."""
    found: dict[Mode | None, set[str]] = {}
    for model in models_of_the_apps():
        for row in model._default_manager.all():
            found.setdefault(mode_of(row), set()).update(_texts(row))
    return [
        dataclasses.replace(
            one,
            words=frozenset(
                found[one.mode].difference(*(w for mode, w in found.items() if mode != one.mode))
            ),
        )
        for one in tenants
    ]


def mode_of(row: Any) -> Mode | None:
    """The company and mode of a row; None for one of all companies, or of both modes."""
    if isinstance(is_test := getattr(row, "is_test", None), bool):
        return row.company_id, is_test
    for relation in TO_THE_MODE:
        if getattr(row, f"{relation}_id", None) is not None:
            return mode_of(getattr(row, relation))
    return None


def _texts(row: Model) -> Iterator[str]:
    for column in row._meta.concrete_fields:
        yield from _texts_in(getattr(row, column.attname))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and len(value) >= SHORTEST:
        # As it stands in JSON, where it is no file.
        yield json.dumps(value, ensure_ascii=False)[1:-1]
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts_in(one)
