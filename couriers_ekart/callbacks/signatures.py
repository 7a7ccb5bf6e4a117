"""The signatures of Ekart's callbacks: HMAC-SHA256 over the raw body. Pure.

The document names neither the header nor the encoding; both are settings. Where a callback is
refused, `explain` finds out whether it was signed in a way that the settings do not name.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

from couriers_ekart.conf import ekart_tunables

HEX, BASE64 = "hex", "base64"
EXPECTED = "sha256"
# What others sign with. A signature with one of them is explained, and never accepted.
OTHERS = ("sha1", "sha512")
_SIZES = {20, 32, 64}  # bytes of a digest of these algorithms
_PREFIX = re.compile(r"(?:sha-?(?:1|256|512)|v1)=", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_TO_STANDARD = str.maketrans("-_", "+/")


def is_signed(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Return whether the body was signed with one of the secrets, as the settings say.

    Compares in constant time and never raises.
    """
    tunables = ekart_tunables()
    given = [
        decode(value, encoding)
        for name in tunables.SIGNATURE_HEADERS
        if (value := headers.get(name))
        for encoding in tunables.SIGNATURE_ENCODINGS
    ]
    return bool(given) and _matches(_digests(body, secrets, EXPECTED), given)


def explain(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> str:
    """Return how the body was signed with one of the secrets, and what to set; "" if it was not."""
    expected = {name: _digests(body, secrets, name) for name in (EXPECTED, *OTHERS)}
    for header, value in headers.items():
        for encoding in (HEX, BASE64):
            given = decode(value, encoding)
            for algorithm, digests in expected.items():
                if _matches(digests, [given]) and _HEADER_NAME.fullmatch(header):
                    return _sentence(header, encoding, algorithm)
    return ""


def decode(value: str, encoding: str) -> bytes:
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


def _sentence(header: str, encoding: str, algorithm: str) -> str:
    how = f"One was signed in {header} as {encoding}"
    if algorithm != EXPECTED:
        return f"{how} with HMAC-{algorithm.upper()}: ask Ekart to sign with HMAC-SHA256."
    tunables = ekart_tunables()
    wanted = {
        "SIGNATURE_HEADERS": (header.lower(), tunables.SIGNATURE_HEADERS),
        "SIGNATURE_ENCODINGS": (encoding, tunables.SIGNATURE_ENCODINGS),
    }
    changes = [
        f"set {setting} to include '{value}'"
        for setting, (value, known) in wanted.items()
        if value not in {name.lower() for name in known}
    ]
    return f"{how}: {' and '.join(changes)}." if changes else ""
