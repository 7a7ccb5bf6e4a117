"""Receivers by how a courier proves that a callback is its own: a signature, or a static header.

A plug-in derives its receiver from one of them, and writes `topic_of` and `parse`.
"""

from __future__ import annotations

import abc
import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from couriers.contract.receiver import Callback, WebhookReceiver

HEX, BASE64 = "hex", "base64"
EXPECTED = "sha256"
# What others sign with. A signature with one of them is explained, and never accepted.
OTHERS = ("sha1", "sha512")
_SIZES = {20, 32, 64}  # bytes of a digest of these algorithms
_PREFIX = re.compile(r"(?:sha-?(?:1|256|512)|v1)=", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_TO_STANDARD = str.maketrans("-_", "+/")


class HmacReceiver(WebhookReceiver):
    """Base for a courier that signs the raw body with HMAC-SHA256.

    Where the courier names neither header nor encoding, both are settings of the plug-in's,
    SIGNATURE_HEADERS and SIGNATURE_ENCODINGS. All headers are tried in all encodings.
    """

    @property
    @abc.abstractmethod
    def signature_headers(self) -> Sequence[str]:
        """The headers that may have the signature."""

    @property
    def signature_encodings(self) -> Sequence[str]:
        """How the signature may be written: "hex", "base64"."""
        return (HEX,)

    def verify(self, callback: Callback, secrets: Sequence[str]) -> bool:
        """Whether the raw body was signed with one of the secrets."""
        given = [
            decode_digest(value, encoding)
            for name in self.signature_headers
            if (value := callback.headers.get(name))
            for encoding in self.signature_encodings
        ]
        return bool(given) and _matches(_digests(callback.body, secrets, EXPECTED), given)

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        """Return the first of the headers, with the signature in the first of the encodings."""
        digest = hmac.digest(secret.encode(), body, EXPECTED)
        is_hex = self.signature_encodings[0] == HEX
        text = digest.hex() if is_hex else base64.b64encode(digest).decode()
        return {self.signature_headers[0]: text}

    def explain_refusal(self, callback: Callback, secrets: Sequence[str]) -> str:
        """Return how the body was signed with one of the secrets, and what to set; "" if not."""
        expected = {name: _digests(callback.body, secrets, name) for name in (EXPECTED, *OTHERS)}
        for header, value in callback.headers.items():
            for encoding in (HEX, BASE64):
                given = decode_digest(value, encoding)
                for algorithm, digests in expected.items():
                    if _matches(digests, [given]) and _HEADER_NAME.fullmatch(header):
                        return self._explanation(header, encoding, algorithm)
        return ""

    def _explanation(self, header: str, encoding: str, algorithm: str) -> str:
        how = f"One was signed in {header} as {encoding}"
        if algorithm != EXPECTED:
            return f"{how} with HMAC-{algorithm.upper()}: ask the courier to use HMAC-SHA256."
        wanted = {
            "SIGNATURE_HEADERS": (header.lower(), self.signature_headers),
            "SIGNATURE_ENCODINGS": (encoding, self.signature_encodings),
        }
        changes = [
            f"set {setting} to include '{value}'"
            for setting, (value, known) in wanted.items()
            if value not in {name.lower() for name in known}
        ]
        return f"{how}: {' and '.join(changes)}." if changes else ""


class StaticHeaderReceiver(WebhookReceiver):
    """Base for a courier that does not sign, but sends the webhook secret itself in a header.

    A plug-in sets `secret_header`.
    """

    def verify(self, callback: Callback, secrets: Sequence[str]) -> bool:
        """Whether the header's value is one of the secrets."""
        return _is_secret(callback.headers.get(self.secret_header) or "", secrets)

    def sign(self, body: bytes, secret: str) -> Mapping[str, str]:
        """Return the header with the secret."""
        return {self.secret_header: secret}

    def explain_refusal(self, callback: Callback, secrets: Sequence[str]) -> str:
        """Return the header that had one of the secrets, bare or after a word such as Bearer."""
        for header, value in callback.headers.items():
            found = _is_secret(value, secrets) or _is_secret(value.rpartition(" ")[2], secrets)
            if found and _HEADER_NAME.fullmatch(header):
                return (
                    f"One had the webhook secret in {header}: have the courier send the secret "
                    f"alone, in {self.secret_header}."
                )
        return ""


def decode_digest(value: str, encoding: str) -> bytes:
    """Return the bytes of a header's signature; b"", which matches nothing, if it has none.

    Quotes and a prefix such as `sha256=` are left out. base64 may be the one for URLs.
    """
    text = _PREFIX.sub("", value.strip().strip("\"'"), count=1).strip("\"'")
    try:
        if encoding == BASE64:
            text = text.translate(_TO_STANDARD).rstrip("=")
            digest = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        else:
            digest = bytes.fromhex(text) if text.isalnum() else b""
    except (ValueError, binascii.Error):
        return b""
    return digest if len(digest) in _SIZES else b""


def _digests(body: bytes, secrets: Sequence[str], algorithm: str) -> list[bytes]:
    return [hmac.digest(secret.encode(), body, algorithm) for secret in secrets if secret]


def _matches(digests: Sequence[bytes], given: Sequence[bytes]) -> bool:
    matches = [hmac.compare_digest(one, other) for one in digests for other in given]
    return any(matches)


def _is_secret(value: str, secrets: Sequence[str]) -> bool:
    """Whether a header's value is one of the secrets. Compares all of them, in constant time."""
    return _matches([secret.encode() for secret in secrets if secret], _header_bytes(value))


def _header_bytes(value: str) -> list[bytes]:
    """Return what the sender may have sent, in UTF-8: servers decode headers as Latin-1."""
    given = [value.encode("utf-8", "surrogatepass")]
    with suppress(UnicodeEncodeError):
        given.append(value.encode("latin-1"))
    return given
