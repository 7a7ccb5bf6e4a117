"""Searches and filtered lists of operators with a million shipments: plans, and milliseconds.

The shipments are of ten companies; names, phones, statuses, reasons and days differ as they do in
life. Each search and each list is asked for by a user who sees all companies, and by one who is
held to one of them. No plan may read the table. The milliseconds are those of the statements, which
are what can grow with the rows: the 95th percentile of some requests.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Figure, at_most
from benchmarks.inbox import execute, vacuum
from benchmarks.merchants import Merchant
from couriers.models import Company, Shipment, StaffScope
from couriers.models.phones import stored_phone_hash
from couriers.operations.finding import MAX_TERMS, find_shipments
from tests.support.parcels import make_shipments
from tests.support.plans import pages_read, whole_reads

TABLE = Shipment._meta.db_table
SHIPMENTS = 1_000_000
COMPANIES = 10
REQUESTS = 41
MAX_MILLISECONDS = 100
MAX_PAGES = 10_000  # of 8 KB, which a warm cache gives within the milliseconds
LIST = "/admin/shipcrowd_couriers/shipment/"
PHONE = "9876501234"
SEARCHES = {
    "order number": "S-777777",
    "tracking id": "TRK-777777",
    "waybill": "WB-777777",
    "former tracking id": "OLD-777700",
    "phone": "+91 98765 01234",
    "rare name": "Name 4321",
    "name that one in fifty has": "Asha",
    "nothing": "NOBODY-1",
    "500 pasted": "\n".join(f"TRK-{number * 1999}" for number in range(MAX_TERMS)),
}
LISTS = {
    "all": "",
    "a day": "created_at_from=2026-10-10&created_at_to=2026-10-10",
    "a courier": "courier__code__exact=toy",
    "a common status": "status__exact=in_transit",
    "a rare status": "status__exact=lost",
    "an NDR reason": "ndr_reason=Refused",
    "returns": "direction__exact=reverse",
    "a status on a day": "status__exact=undelivered&created_at_from=2026-10-10"
    "&created_at_to=2026-10-10",
    "a rare status of a courier, and of a company": "status__exact=lost&courier__code__exact=toy"
    "&company__id__exact={company}",
    "a reason of a company": "ndr_reason=Refused&company__id__exact={company}",
    "returns of a company on a day": "direction__exact=reverse&company__id__exact={company}"
    "&created_at_from=2026-10-10&created_at_to=2026-10-12",
    "a name and a status": "q=Asha&status__exact=lost",
}


def run() -> list[Figure]:
    """Fill the table, and measure each search and each list for both users."""
    execute(f"TRUNCATE {TABLE} CASCADE")
    merchant = Merchant.at("http://127.0.0.1:9")
    courier = merchant.account.courier_id
    template = make_shipments(merchant.account, 1, consignee_phone=PHONE)[0]
    companies = [merchant.account.company_id, *_companies()]
    _fill(template, companies)
    figures = []
    for who, user in _users(companies[1]).items():
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user)
        searches = {f"search by {name}": _searching(user, text) for name, text in SEARCHES.items()}
        lists = {
            f"list of {name}": _listing(
                client, path.format(company=companies[1]).replace("toy", courier)
            )
            for name, path in LISTS.items()
        }
        figures += _figures(f"{who}: slowest search", searches)
        figures += _figures(f"{who}: slowest list", lists)
    execute(f"TRUNCATE {TABLE} CASCADE")
    return figures


def _searching(user: Any, text: str) -> Callable[[], Any]:
    return lambda: find_shipments(user, text)


def _listing(client: Client, path: str) -> Callable[[], Any]:
    def ask() -> None:
        answer = client.get(f"{LIST}?{path}")
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")

    return ask


def _figures(what: str, asked: dict[str, Callable[[], Any]]) -> list[Figure]:
    """The slowest by its 95th percentile, that of each, and the plans that read a whole table."""
    times = {name: _percentile(ask) for name, ask in asked.items()}
    whole = {name: found for name, ask in asked.items() if (found := _whole_reads(ask))}
    slowest = max(times, key=lambda name: times[name])
    each = ", ".join(f"{_short(name)} {value:.0f}" for name, value in times.items())
    pages = {name: _pages(ask) for name, ask in asked.items()}
    widest = max(pages, key=lambda name: pages[name])
    return [
        at_most(f"{what}, p95 ({slowest})", times[slowest], MAX_MILLISECONDS, "ms", 0),
        Figure("— of each, ms", each),
        at_most(f"— plans that read a whole table{_named(whole)}", len(whole), 0, "", 0),
        at_most(f"— most pages that one reads ({widest})", pages[widest], MAX_PAGES, "", 0),
        Figure("— pages of each", ", ".join(f"{_short(name)} {n}" for name, n in pages.items())),
    ]


def _short(name: str) -> str:
    """The name without "search by" or "list of"."""
    return name.split(" ", 2)[2]


def _named(whole: dict[str, list[str]]) -> str:
    return f" ({'; '.join(f'{name}: {found[0]}' for name, found in whole.items())})" * bool(whole)


def _percentile(ask: Callable[[], Any]) -> float:
    """The 95th percentile of the milliseconds of all statements of one call."""
    ask()
    times = []
    for _ in range(REQUESTS):
        with CaptureQueriesContext(connection) as queries:
            ask()
        times.append(1000 * sum(float(query["time"]) for query in queries))
    return statistics.quantiles(times, n=20)[-1]


def _statements(ask: Callable[[], Any]) -> list[str]:
    """The statements of a call that read shipments."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    return [one["sql"] for one in queries if f"FROM {TABLE}" in one["sql"].replace('"', "")]


def _pages(ask: Callable[[], Any]) -> int:
    """The pages that the statements of a call read, whether cached or not."""
    return sum(pages_read(sql) for sql in _statements(ask))


def _whole_reads(ask: Callable[[], Any]) -> list[str]:
    return [
        part
        for sql in _statements(ask)
        for part in whole_reads(sql, may_read=True)
        if part == f"Seq Scan of {TABLE}"
    ]


def _companies() -> list[int]:
    names = [f"bench-search-{number}" for number in range(1, COMPANIES)]
    first = Company.objects.order_by("pk").first()
    assert first is not None
    for name in names:
        Company.objects.get_or_create(
            slug=name, defaults={"name": name, "gstin": first.gstin, "state": first.state}
        )
    return list(Company.objects.filter(slug__in=names).values_list("pk", flat=True))


def _users(company: int) -> dict[str, Any]:
    """A user who sees all companies, and one who is held to one of them."""
    users = get_user_model().objects
    found = {}
    for who in ("all companies", "one company"):
        user = users.create_user(f"bench-{time.time_ns():x}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_shipment"))
        found[who] = user
    StaffScope.objects.create(user=found["one company"]).companies.add(company)
    return found


def _fill(template: str, companies: list[int]) -> None:
    """Insert copies of a shipment, made in the course of a month."""
    phone = stored_phone_hash(PHONE)
    listed = ",".join(str(one) for one in companies)
    millisecond = f"(1790000000000 + n * {30 * 86_400_000 // SHIPMENTS}::bigint)"
    new = {
        "id": f"'shp_' || bench_ulid({millisecond}, n)",
        "company_id": f"(ARRAY[{listed}])[1 + n % {len(companies)}]",
        "order_number": "'S-' || n",
        "tracking_id": "'TRK-' || n",
        "waybill": "'WB-' || n",
        "former_tracking_ids": "CASE WHEN n % 100 = 0 THEN ARRAY['OLD-' || n] ELSE '{}' END",
        "status": "CASE WHEN n % 100000 = 7 THEN 'lost' WHEN n % 25 = 3 THEN 'undelivered'"
        " WHEN n % 3 = 0 THEN 'in_transit' ELSE 'delivered' END",
        "ndr_reason": "CASE WHEN n % 25 = 3 THEN (ARRAY['Refused', 'Closed', 'Unavailable'])"
        "[1 + n / 25 % 3] ELSE '' END",
        "direction": "CASE WHEN n % 200 = 11 THEN 'reverse' ELSE 'forward' END",
        "consignee_name": "CASE WHEN n % 50 = 0 THEN 'Asha ' || n ELSE 'Name ' || n % 9999 END",
        "phone_hash": f"CASE WHEN n % 100000 = 5 THEN '{phone}'"
        " ELSE md5(n::text) || md5((n + 1)::text) END",
        "created_at": f"to_timestamp({millisecond} / 1000.0)",
    }
    execute(_ULID)
    columns = [field.column for field in Shipment._meta.concrete_fields]
    execute(
        f"INSERT INTO {TABLE} ({', '.join(columns)})"
        f" SELECT {', '.join(new.get(name, f'one.{name}') for name in columns)}"
        f" FROM {TABLE} AS one, generate_series(1, {SHIPMENTS}) AS n WHERE one.id = '{template}'"
    )
    execute("DROP FUNCTION bench_ulid")
    vacuum(TABLE)


# A ULID of a time in milliseconds: ten characters of time, then a number in place of chance.
_ULID = """
CREATE OR REPLACE FUNCTION bench_ulid(ms bigint, n integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(
        substr(
            '0123456789abcdefghjkmnpqrstvwxyz', -- pragma: allowlist secret
            1 + ((ms >> (5 * k)) & 31)::integer, 1
        ), ''
        ORDER BY k DESC
    ) || lpad(n::text, 16, '0') FROM generate_series(0, 9) AS k
$$
"""
