"""What Ekart's signatures may look like, and how a refused one explains itself."""

from __future__ import annotations

import base64
import hmac
import time
from typing import Any

import pytest

from couriers_ekart.callbacks.receiver import EkartReceiver

BODY, SECRET = b'{"id": "T-1"}', "a-secret-of-tests"
HEADER = "X-Ekart-Signature"
explain, verify = EkartReceiver().explain_refusal, EkartReceiver().verify


def digest(algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), BODY, algorithm)


HEX = digest().hex()
BASE64 = base64.b64encode(digest()).decode()
URL_BASE64 = base64.urlsafe_b64encode(digest()).decode()


@pytest.mark.parametrize(
    "value", [HEX, HEX.upper(), f"sha256={HEX}", f'"{HEX}"', f'"sha256={HEX}"', f"SHA256={HEX}"]
)
def test_every_writing_of_hex_is_verified(value: str) -> None:
    assert verify(BODY, {HEADER.lower(): value}, [SECRET])
    assert not verify(BODY, {HEADER.lower(): value}, ["another-secret"])


@pytest.mark.parametrize("value", [BASE64, URL_BASE64, BASE64.rstrip("="), f'"{BASE64}"'])
def test_every_writing_of_base64_is_verified_where_it_is_set(value: str, settings: Any) -> None:
    assert not verify(BODY, {HEADER.lower(): value}, [SECRET])
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "COURIERS": {"ekart": {"SIGNATURE_ENCODINGS": ("base64",)}}
    }
    assert verify(BODY, {HEADER.lower(): value}, [SECRET])
    assert not verify(BODY, {HEADER.lower(): HEX}, [SECRET])


def test_each_of_the_named_headers_is_read(settings: Any) -> None:
    names = ("x-one", "x-two")
    settings.SHIPCROWD = settings.SHIPCROWD | {"COURIERS": {"ekart": {"SIGNATURE_HEADERS": names}}}
    assert verify(BODY, {"x-one": "another gateway's", "x-two": HEX}, [SECRET])


@pytest.mark.parametrize(
    ("header", "value", "sentence"),
    [
        ("X-Foo", HEX, "One was signed in X-Foo as hex: set SIGNATURE_HEADERS to include 'x-foo'."),
        ("X-Foo", f"sha256={HEX.upper()}", "in X-Foo as hex: set SIGNATURE_HEADERS"),
        (HEADER, BASE64, "as base64: set SIGNATURE_ENCODINGS to include 'base64'."),
        (HEADER, f'"{URL_BASE64}"', "as base64: set SIGNATURE_ENCODINGS"),
        (
            "X-Foo",
            BASE64,
            "in X-Foo as base64: set SIGNATURE_HEADERS to include 'x-foo' and "
            "set SIGNATURE_ENCODINGS to include 'base64'.",
        ),
        (HEADER, digest("sha1").hex(), "with HMAC-SHA1: ask Ekart"),
        ("X-Foo", "sha512=" + digest("sha512").hex(), "with HMAC-SHA512: ask Ekart"),
    ],
)
def test_a_signature_in_another_header_or_encoding_says_what_to_set(
    header: str, value: str, sentence: str
) -> None:
    junk = {"X-Request-Id": "f" * 64, "X-Trace": "a" * 40, "Authorization": "Bearer " + "x" * 60}
    found = explain(BODY, {**junk, header: value}, ["a-new-secret", SECRET])
    assert sentence in found
    for hidden in (SECRET, HEX, BASE64, "T-1"):
        assert hidden not in found


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: digest(secret="another-secret").hex()},
        {HEADER: "é" * 64, "X-Foo": "=" * 44},
        {"X-Foo": HEX[:-1]},
        {"X Foo: <b>": HEX},
        {HEADER: hmac.digest(b"", BODY, "sha256").hex()},
    ],
)
def test_what_is_not_signed_with_the_secret_is_not_explained(headers: dict[str, str]) -> None:
    assert explain(BODY, headers, [SECRET, ""]) == ""
    assert explain(BODY, headers, []) == ""


def test_explaining_the_longest_body_takes_a_few_milliseconds() -> None:
    headers = {f"X-{number}": f"{number:064x}" for number in range(20)}
    body = b"x" * 65536
    started = time.perf_counter()
    for _ in range(10):
        explain(body, headers, [SECRET, "another-secret"])
    assert (time.perf_counter() - started) / 10 < 0.05
