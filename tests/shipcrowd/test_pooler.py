"""Behind a real PgBouncer that pools transactions: everything works, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import ProgrammingError, connection

from couriers.models import CourierAccount, Scan, Shipment
from sandbox.process import SandboxProcess
from shipcrowd import pooler as poolers
from shipcrowd.embedded import Servers
from shipcrowd.pooler import Pooler
from shipcrowd.stack import Stack
from tests.support.callbacks import SECRET, callback_path, other_connection
from tests.support.neighbours import Tenant
from tests.support.orders import ORDER
from tests.support.pgbouncer import PgBouncer, needs_pgbouncer, pgbouncer
from tests.support.worker import own_servers, wait_for
from webhooks.models import EventState, WebhookEvent
from webhooks.prepared_statements import prepared_cursor

# A run that goes through a pooler itself has no other way to PostgreSQL for these.
pytestmark = [needs_pgbouncer, pytest.mark.own_session]
POOL_SIZE = 3
CLIENTS, ORDERS = 12, 36


@pytest.fixture
def pooler(transactional_db: None) -> Iterator[PgBouncer]:
    with pgbouncer(own_servers().database_url, pool_size=POOL_SIZE) as running:
        yield running


@pytest.fixture
def pooled(pooler: PgBouncer, settings: Any) -> Iterator[PgBouncer]:
    """The pooler, with this process' own connections through it, as the settings make them."""
    settings.DATABASE_POOLER = Pooler.TRANSACTION
    connection.close()
    given = dict(connection.settings_dict)
    address = urlsplit(pooler.url)
    connection.settings_dict.update(
        HOST=address.hostname, PORT=address.port, DISABLE_SERVER_SIDE_CURSORS=True
    )
    yield pooler
    connection.close()
    connection.settings_dict.clear()
    connection.settings_dict.update(given)


def ids_of_checks() -> set[str]:
    """The ids of this module's checks that find something, those of the connection too."""
    found = run_checks(databases=["default"], include_deployment_checks=True)
    return {str(message.id) for message in found} & {f"shipcrowd.W02{n}" for n in range(5)}


@pytest.mark.slow
def test_more_clients_than_connections_book_track_and_get_their_callbacks(
    pooler: PgBouncer,
) -> None:
    servers = Servers(pooler.url, own_servers().redis_url)
    environment = {"DATABASE_POOLER": "transaction", "LOG_LEVEL": "CRITICAL"}
    tenant = Tenant.at("http://127.0.0.1:9")
    with (
        Stack(servers, environment) as stack,
        SandboxProcess(
            "ekart", "--pace", "0", "--outcomes", "delivered=100",
            "--webhook", stack.url + callback_path(tenant.account), SECRET,
        ) as sandbox,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):  # fmt: skip
        CourierAccount.objects.filter(pk=tenant.account.pk).update(base_url=sandbox.url)
        stack.start_demo_web()
        stack.start_worker(concurrency=4)
        stack.wait_until_ready(120)

        def book(number: int) -> tuple[int, int]:
            order = ORDER | {"courier": "ekart", "order_number": f"P-{number}"}
            booked = stack.request("POST", "/api/v1/shipments/", order, key=tenant.key)
            path = f"/api/v1/shipments/{booked.json()['id']}/track/"
            return booked.status, stack.request("POST", path, key=tenant.key).status

        answers = list(clients.map(book, range(ORDERS)))
        assert answers == [(201, 200)] * ORDERS
        assert sandbox.wait_until_finished()
        events = WebhookEvent.objects.exclude(state=EventState.PROCESSED)
        wait_for(lambda: WebhookEvent.objects.count() >= 2 * ORDERS and not events.exists())
        clients_now, servers_now = pooler.show("clients"), pooler.show("servers")
    shipments = Shipment.objects.values_list("status", flat=True)
    assert len(shipments) == ORDERS
    assert set(shipments) == {"delivered"}
    assert Scan.objects.count() == len(set(Scan.objects.values_list("shipment_id", "at", "status")))
    assert len(servers_now) <= POOL_SIZE < len(clients_now)


@pytest.mark.parametrize("declared", [True, False])
def test_two_clients_share_a_connection_because_neither_prepares(
    pooled: PgBouncer, declared: bool
) -> None:
    """Undeclared, each would prepare its statement by the same name."""
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = declared

    def execute() -> None:
        with prepared_cursor() as cursor:
            cursor.execute("SELECT 1")

    execute()
    with ThreadPoolExecutor(1) as other:
        if declared:
            other.submit(execute).result()
        else:
            with pytest.raises(ProgrammingError, match="already exists"):
                other.submit(execute).result()
        other.submit(lambda: connection.close()).result()


def test_no_setting_is_left_in_a_connection_and_a_missing_one_is_named(pooled: PgBouncer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("0",)
    assert ids_of_checks() == {"shipcrowd.W022", "shipcrowd.W023"}
    role = "ALTER ROLE CURRENT_USER IN DATABASE"
    with other_connection() as direct:
        name = direct.info.dbname
        direct.execute(f"{role} {name} SET idle_in_transaction_session_timeout = '60s'")
    try:
        connection.close()
        pooled.reconnect()
        assert ids_of_checks() == {"shipcrowd.W023"}
    finally:
        with other_connection() as direct:
            direct.execute(f"{role} {name} RESET idle_in_transaction_session_timeout")


def test_migrate_goes_past_the_pooler(pooled: PgBouncer, settings: Any) -> None:
    direct = urlsplit(own_servers().database_url)
    past = {"NAME": connection.settings_dict["NAME"], "HOST": direct.hostname, "PORT": direct.port}
    login = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    settings.DIRECT_DATABASE = poolers.direct(connection.settings_dict, past | login)
    call_command("migrate", verbosity=0)
    assert pooled.show("servers") == []
    assert Shipment.objects.count() == 0
    assert len(pooled.show("servers")) == 1


def test_what_is_declared_beside_what_is_there(pooled: PgBouncer, settings: Any) -> None:
    settings.DATABASE_POOLER = Pooler.NONE
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False
    assert ids_of_checks() == {"shipcrowd.W021"}
    connection.close()
    address = urlsplit(own_servers().database_url)
    connection.settings_dict.update(HOST=address.hostname, PORT=address.port)
    assert ids_of_checks() == set()
    settings.DATABASE_POOLER = Pooler.SESSION
    assert ids_of_checks() == {"shipcrowd.W024"}
