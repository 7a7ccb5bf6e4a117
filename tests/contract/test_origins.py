"""A courier's base URL: a bare origin, and never an address of the platform's own network."""

from __future__ import annotations

import pytest

from couriers.contract.origins import Reach, origin_problem

PUBLIC = Reach()
DEVELOPMENT = Reach(loopback=True)
PRIVATE = Reach(private=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.elite.ekartlogistics.in", "https://courier.example/", "HTTPS://API.EXAMPLE",
        "https://courier.example:8443", "https://93.184.216.34", "https://[2606:4700::1111]:8443",
        "https://xn--zrich-kva.example", "https://a-b.c9.example", "https://courier.example:65535",
    ],
)  # fmt: skip
def test_a_base_url_is_https_a_host_and_perhaps_a_port(url: str) -> None:
    assert origin_problem(url, PUBLIC) is None


LOOPBACK = ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:9", "https://127.9.9.9",
            "http://sandbox.localhost:1", "HTTP://LOCALHOST"]  # fmt: skip


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_for_development(url: str) -> None:
    assert origin_problem(url, DEVELOPMENT) is None
    assert "SHIPCROWD['DEVELOPMENT']" in (origin_problem(url, PUBLIC) or "")


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1", "https://172.31.255.255", "https://192.168.1.1:8443",
        "https://100.64.0.1", "https://[fd00::1]", "https://[FC00::1]",
    ],
)  # fmt: skip
def test_a_private_network_needs_the_setting_and_https(url: str) -> None:
    assert origin_problem(url, PRIVATE) is None
    for reach in (PUBLIC, DEVELOPMENT):
        assert "ALLOW_PRIVATE_COURIERS" in (origin_problem(url, reach) or "")
    plain = url.replace("https", "http")
    assert "must begin with https://" in (origin_problem(plain, PRIVATE) or "")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]", "240.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "192.0.0.1", "192.88.99.1",
        "[::ffff:127.0.0.1]", "[::ffff:93.184.216.34]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:db8::1]",
        "[3fff::1]", "[5f00::1]", "[fec0::1]",
    ],
)  # fmt: skip
def test_an_address_that_no_server_has_is_refused_whatever_the_settings(host: str) -> None:
    for reach in (PUBLIC, Reach(loopback=True, private=True)):
        assert "no server has" in (origin_problem(f"https://{host}", reach) or ""), host


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("//courier.example", "must begin with https://"),
        ("ftp://courier.example", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https:/courier.example", "must begin with https://"),
        ("http://courier.example", "must begin with https://"),
        ("http://localhost.evil.example", "must begin with https://"),
        ("http://127.0.0.1.evil.example", "must begin with https://"),
        ("https://a:b@courier.example", "no login"),
        ("https://courier.example@127.0.0.1", "no login"),
        ("https://@courier.example", "no login"),
        ("https://courier.example/api", "no path"),
        ("https://courier.example//", "no path"),
        ("https://courier.example?x", "no path"),
        ("https://courier.example/?x", "no path"),
        ("https://courier.example#x", "no path"),
        ("https://courier.example:0", "port of 1 to 65535"),
        ("https://courier.example:70000", "port of 1 to 65535"),
        ("https://courier.example:" + "9" * 5000, "port of 1 to 65535"),
        ("https://courier.example:", "a host, and perhaps a port"),
        ("https://courier.example:+80", "a host, and perhaps a port"),
        ("https://:443", "a host, and perhaps a port"),
        ("https://[::1", "a host, and perhaps a port"),
        ("https://[fe80::1%25eth0]", "a host, and perhaps a port"),
        ("https://127.0.0.1%00.example", "a host, and perhaps a port"),
        ("https://courier_example.example", "a host, and perhaps a port"),
        ("https://2130706433", "its usual form"),
        ("https://0x7f000001", "its usual form"),
        ("https://0x7f.1", "its usual form"),
        ("https://127.1", "its usual form"),
        ("https://0177.0.0.1", "its usual form"),
        ("https://127.0.0.256", "its usual form"),
        ("https://courier.0x", "its usual form"),
        ("https://[1::2::3]", "its usual form"),
        ("https://[127.0.0.1]", "its usual form"),
        ("https://127.0.0.1.", "without a dot"),
        ("https://courier.example.", "without a dot"),
        ("https://courier..example", "name of a host"),
        ("https://-courier.example", "name of a host"),
        ("https://" + "a" * 64 + ".example", "name of a host"),
        ("https://" + "a." * 130 + "example", "name of a host"),
        ("https://courier.example\\@127.0.0.1", "backslashes"),
        ("https:\\\\127.0.0.1", "backslashes"),
        ("https://courier.example\t", "no spaces"),
        ("https://courier.example\n", "no spaces"),
        (" https://courier.example", "no spaces"),
        ("https://courier\u00ad.example", "beyond ASCII"),
        ("https://１２７.0.0.1", "beyond ASCII"),  # noqa: RUF001 - digits of another width
        ("https://zürich.example", "beyond ASCII"),
        ("https://127。0。0。1", "beyond ASCII"),
    ],
)
def test_any_other_writing_is_refused_in_words_of_its_own(url: str, words: str) -> None:
    problem = origin_problem(url, Reach(loopback=True, private=True))
    assert words in (problem or "")
    assert "a:b" not in (problem or "")
