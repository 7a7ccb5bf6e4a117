"""Documents behind links: fetched at once, from named hosts, without the account's login."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from couriers.contract.documents import DocumentLink
from couriers.contract.errors import NotFound, Rejected, TimeIsUp, TooManyInFlight, Unknown
from couriers.http import links
from couriers.models import CourierAccount
from couriers.resilience import bulkhead, deadline
from tests.support.small_courier import Reply, SmallCourier, account_at
from tests.support.sockets import serve

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 a label"
PNG = b"\x89PNG\r\n\x1a\n a picture"
JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def courier() -> Iterator[SmallCourier]:
    with SmallCourier(lambda _: Reply(PDF)) as running:
        yield running


@pytest.fixture
def store() -> Iterator[SmallCourier]:
    """Another host than the courier's own."""
    with SmallCourier(lambda _: Reply(PDF)) as running:
        yield running


@pytest.fixture
def account(courier: SmallCourier) -> CourierAccount:
    return account_at(courier.url, password="the-key-of-the-shop")


def link(url: str, *types: str) -> DocumentLink:
    return DocumentLink(url, "label.pdf", types or ("application/pdf",))


def host_of(server: SmallCourier) -> str:
    return server.url.partition("://")[2]


def test_a_document_comes_from_the_accounts_own_host(
    account: CourierAccount, courier: SmallCourier
) -> None:
    document = links.fetch(link(f"{courier.url}/label?sign=x%2Fy"), account, ())
    assert (document.content, document.content_type) == (PDF, "application/pdf")
    assert document.filename == "label.pdf"
    assert courier.requests[0].path == "/label?sign=x%2Fy"


def test_the_login_does_not_go_with_it(account: CourierAccount, courier: SmallCourier) -> None:
    links.fetch(link(f"{courier.url}/label"), account, ())
    sent = str(courier.requests[0])
    assert "Authorization" not in sent
    assert "the-key-of-the-shop" not in sent


def test_a_document_comes_from_a_named_host(account: CourierAccount, store: SmallCourier) -> None:
    assert links.fetch(link(f"{store.url}/x"), account, (host_of(store),)).content == PDF


def test_no_other_host_is_asked(account: CourierAccount, store: SmallCourier) -> None:
    for hosts in ((), ("labels.example",), ("*.example",), ("*.0.0.1",)):
        with pytest.raises(Rejected, match="does not name") as caught:
            links.fetch(link(f"{store.url}/x?secret=1"), account, hosts)
        assert caught.value.courier == "small"
        assert store.url not in str(caught.value)
    assert store.requests == []


@pytest.mark.parametrize(
    ("url", "hosts", "allowed"),
    [
        ("https://s3.example/x", ("s3.example",), True),
        ("https://S3.Example:443/x", ("s3.example",), True),
        ("https://b.s3.example/x", ("*.s3.example",), True),
        ("https://a.b.s3.example/x", ("*.s3.example",), True),
        ("https://s3.example/x", ("*.s3.example",), False),
        ("https://evils3.example/x", ("*.s3.example",), False),
        ("https://evil.example/x#s3.example", ("s3.example",), False),
        ("https://s3.example.evil.example/x", ("s3.example",), False),
        ("https://s3.example:8443/x", ("s3.example",), False),
        ("https://s3.example@evil.example/x", ("s3.example",), False),
        ("https://s3.example\\@evil.example/x", ("s3.example",), False),
        ("https://u:p@s3.example/x", ("s3.example",), False),
        ("http://s3.example/x", ("s3.example",), False),
        ("ftp://s3.example/x", ("s3.example",), False),
        ("//s3.example/x", ("s3.example",), False),
        ("file:///etc/passwd", ("",), False),
        ("https://[x/", ("*.x",), False),
        ("https://10.0.0.1/x", ("10.0.0.1",), False),
        ("https://169.254.169.254/x", ("169.254.169.254",), False),
        ("https://s3.example/" + "x" * 5000, ("s3.example",), False),
        ("https://s3.example/a\nb", ("s3.example",), False),
        ("", ("",), False),
    ],
)
def test_a_link_is_checked_as_it_is_written(
    url: str, hosts: tuple[str, ...], *, allowed: bool
) -> None:
    problem = links._link_problem(url, "https://courier.example", hosts)
    assert (problem is None) is allowed, problem


def test_a_named_host_that_leads_to_a_private_address_is_not_asked(
    account: CourierAccount, store: SmallCourier, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"DEVELOPMENT": False}
    url = store.url.replace("http://", "https://").replace("127.0.0.1", "localtest.invalid")
    with pytest.raises(Unknown, match="could not connect"):
        links.fetch(link(f"{url}/x"), account, (url.partition("://")[2],))
    with pytest.raises(Rejected, match="for development"):
        links.fetch(link(f"{store.url}/x"), account, (host_of(store),))
    assert store.requests == []


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_whose_time_is_over_is_not_found(
    account: CourierAccount, courier: SmallCourier, status: int
) -> None:
    courier.answer = lambda _: Reply(b"<Error><Code>AccessDenied</Code></Error>", status)
    with pytest.raises(NotFound) as caught:
        links.fetch(link(f"{courier.url}/x"), account, ())
    assert str(caught.value) == (
        f"small fetch_document: the document is not there, or no longer (HTTP {status})"
    )


@pytest.mark.parametrize("status", [204, 302, 500])
def test_any_other_status_is_unknown(
    account: CourierAccount, courier: SmallCourier, status: int
) -> None:
    courier.answer = lambda _: Reply(PDF if status != 204 else b"", status, {"Location": "/next"})
    with pytest.raises(Unknown):
        links.fetch(link(f"{courier.url}/x"), account, ())
    assert len(courier.requests) == 1


@pytest.mark.parametrize(
    ("content", "types", "kind"),
    [
        (PDF, ("application/pdf",), "application/pdf"),
        (PNG, ("image/jpeg", "image/png"), "image/png"),
        (JPEG, ("image/jpeg", "image/png"), "image/jpeg"),
        (PNG, ("application/pdf",), None),
        (b'{"error": "none"}', ("application/pdf",), None),
        (b"", ("application/pdf",), None),
        (b"<svg/>", ("image/svg+xml",), None),
    ],
)
def test_a_document_is_what_it_says_or_it_is_none(
    account: CourierAccount,
    courier: SmallCourier,
    content: bytes,
    types: tuple[str, ...],
    kind: str | None,
) -> None:
    courier.answer = lambda _: Reply(content, 200, {"Content-Type": "application/pdf"})
    if kind:
        assert links.fetch(link(f"{courier.url}/x", *types), account, ()).content_type == kind
        return
    with pytest.raises(Unknown, match="the document is not"):
        links.fetch(link(f"{courier.url}/x", *types), account, ())


def test_a_document_is_read_up_to_the_size_of_labels(
    account: CourierAccount, courier: SmallCourier, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"LABEL_MAX_BYTES": len(PDF)}
    assert links.fetch(link(f"{courier.url}/x"), account, ()).content == PDF
    settings.SHIPCROWD = settings.SHIPCROWD | {"LABEL_MAX_BYTES": len(PDF) - 1}
    with pytest.raises(Unknown, match="larger than 15 bytes"):
        links.fetch(link(f"{courier.url}/x"), account, ())


def test_a_document_that_drips_ends_with_the_read_time_out(settings: Any) -> None:
    times = {"READ_TIMEOUT": 0.5}
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"small": times}}

    def drip(connection: Any) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n%PDF-")
        for _ in range(40):
            time.sleep(0.1)
            connection.sendall(b"x")

    with serve(drip) as url:
        started = time.monotonic()
        with pytest.raises(Unknown, match="no answer"):
            links.fetch(link(f"{url}/x"), account_at(url), ())
    assert time.monotonic() - started < 2


def test_documents_take_the_accounts_places(account: CourierAccount, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEB_THREADS": 2}
    with bulkhead.hold_place(account_at("https://another.example")):
        with pytest.raises(TooManyInFlight) as caught:
            links.fetch(link(f"{account.base_url}/x"), account, ())
        assert caught.value.courier == "small"


def test_nothing_is_fetched_for_longer_than_the_work_at_hand_may_last(
    account: CourierAccount, courier: SmallCourier
) -> None:
    courier.answer = lambda _: time.sleep(5) or Reply(PDF)
    started = time.monotonic()
    with (
        deadline.send_only_before(deadline.after(0.5)),
        pytest.raises(Unknown),
    ):
        links.fetch(link(f"{courier.url}/x"), account, ())
    assert time.monotonic() - started < 3
    with deadline.send_only_before(deadline.after(0)), pytest.raises(TimeIsUp):
        links.fetch(link(f"{courier.url}/x"), account, ())
