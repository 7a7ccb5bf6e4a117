"""How a callback may be signed or carry the secret, and how a refused one explains itself."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.utils.datastructures import CaseInsensitiveMapping

from couriers.contract.receiver import Callback, CourierEvent, Topic
from couriers.contract.signatures import HmacReceiver, StaticHeaderReceiver

BODY, SECRET = b'{"id": "T-1"}', "a-secret-of-tests"
HEADER = "X-Signature"


class Signed(HmacReceiver):
    """A receiver whose courier signs in `headers`, as the encodings say."""

    signature_headers: Sequence[str] = (HEADER.lower(),)  # type: ignore[assignment]
    signature_encodings: Sequence[str] = ("hex",)  # type: ignore[assignment]

    def topic_of(self, payload: Mapping[str, Any]) -> Topic:
        return Topic.UNKNOWN

    def parse(self, payload: Mapping[str, Any]) -> Sequence[CourierEvent]:
        return []


class Static(StaticHeaderReceiver):
    """A receiver whose courier sends the secret itself."""

    topic_of, parse = Signed.topic_of, Signed.parse

    secret_header = "x-courier-token"


def callback(headers: Mapping[str, str], body: bytes = BODY) -> Callback:
    return Callback(body, CaseInsensitiveMapping(headers))


def verify(headers: Mapping[str, str], secrets: Sequence[str], receiver: Any = None) -> bool:
    return (receiver or Signed()).verify(callback(headers), secrets)


def explain(headers: Mapping[str, str], secrets: Sequence[str], receiver: Any = None) -> str:
    return (receiver or Signed()).explain_refusal(callback(headers), secrets)


def digest(algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), BODY, algorithm)


HEX = digest().hex()
BASE64 = base64.b64encode(digest()).decode()
URL_BASE64 = base64.urlsafe_b64encode(digest()).decode()


@pytest.mark.parametrize(
    "value", [HEX, HEX.upper(), f"sha256={HEX}", f'"{HEX}"', f'"sha256={HEX}"', f"SHA256={HEX}"]
)
def test_every_writing_of_hex_is_verified(value: str) -> None:
    assert verify({HEADER: value}, [SECRET])
    assert not verify({HEADER: value}, ["another-secret"])
    assert not verify({HEADER: value}, [])


@pytest.mark.parametrize("value", [BASE64, URL_BASE64, BASE64.rstrip("="), f'"{BASE64}"'])
def test_every_writing_of_base64_is_verified_where_it_is_set(value: str) -> None:
    assert not verify({HEADER: value}, [SECRET])
    receiver = Signed()
    receiver.signature_encodings = ("base64",)
    assert verify({HEADER: value}, [SECRET], receiver)
    assert not verify({HEADER: HEX}, [SECRET], receiver)


def test_each_of_the_named_headers_is_read() -> None:
    receiver = Signed()
    receiver.signature_headers = ("x-one", "x-two")
    assert verify({"x-one": "another gateway's", "x-two": HEX}, [SECRET], receiver)


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
        (HEADER, digest("sha1").hex(), "with HMAC-SHA1: ask the courier"),
        ("X-Foo", "sha512=" + digest("sha512").hex(), "with HMAC-SHA512: ask the courier"),
    ],
)
def test_a_signature_in_another_header_or_encoding_says_what_to_set(
    header: str, value: str, sentence: str
) -> None:
    junk = {"X-Request-Id": "f" * 64, "X-Trace": "a" * 40, "Authorization": "Bearer " + "x" * 60}
    found = explain({**junk, header: value}, ["a-new-secret", SECRET])
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
    assert explain(headers, [SECRET, ""]) == ""
    assert explain(headers, []) == ""


def test_explaining_the_longest_body_takes_a_few_milliseconds() -> None:
    headers = {f"X-{number}": f"{number:064x}" for number in range(20)}
    started = time.perf_counter()
    for _ in range(10):
        Signed().explain_refusal(callback(headers, b"x" * 65536), [SECRET, "another-secret"])
    assert (time.perf_counter() - started) / 10 < 0.05


# A header with the secret itself


def test_the_secret_itself_is_verified_in_its_header_alone() -> None:
    assert verify({"X-Courier-Token": SECRET}, ["a-new-secret", SECRET], Static())
    for headers in ({}, {"X-Courier-Token": SECRET + "x"}, {"X-Other": SECRET},
                    {"X-Courier-Token": ""}):  # fmt: skip
        assert not verify(headers, [SECRET, ""], Static())
    assert not verify({"X-Courier-Token": SECRET}, [], Static())


@pytest.mark.parametrize("secret", ["geheim-é", "गुप्त", "a-secret-of-tests"])
def test_a_secret_of_any_letters_is_verified_as_a_server_decodes_it(secret: str) -> None:
    as_decoded = secret.encode().decode("latin-1")
    for value in (secret, as_decoded):
        assert verify({"x-courier-token": value}, [secret], Static())
    for value in ("€", "\ud800", "é" * 64, as_decoded + "é"):
        assert not verify({"x-courier-token": value}, [secret], Static())
        assert not verify({HEADER: value}, [secret])


@pytest.mark.parametrize("value", [SECRET, f"Bearer {SECRET}", f"Token {SECRET}"])
def test_a_secret_in_another_header_says_which_to_send(value: str) -> None:
    sentence = (
        "One had the webhook secret in X-Foo: have the courier send the secret alone, in "
        "x-courier-token."
    )
    junk = {"X-Request-Id": "f" * 64, "Authorization": "Bearer " + "x" * 60}
    assert explain({**junk, "X-Foo": value}, ["a-new-secret", SECRET], Static()) == sentence
    assert explain({**junk, "X-Foo": value}, ["another-secret", ""], Static()) == ""
    assert explain({**junk, "X Foo: <b>": value}, [SECRET], Static()) == ""


def test_a_callback_shows_nothing_of_itself() -> None:
    shown = repr(Callback(BODY, {"x": SECRET}, {"key": SECRET}, "192.0.2.1"))
    assert not any(hidden in shown for hidden in ("T-1", SECRET, "192.0.2.1"))
