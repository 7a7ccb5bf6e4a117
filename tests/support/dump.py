"""Everything that is stored, as text: all tables, all files, all of Valkey; and a search in it.

What stands in another form is turned into text first: bytes in hexadecimal, base64, text in PDFs.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from django_redis import get_redis_connection
from pypdf import PdfReader
from pypdf.errors import PyPdfError

_HEX = re.compile(r"\\+x([0-9a-f]{4,})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_SEPARATORS = r"[\s().,/_+-]{0,3}"


def tables() -> Iterator[tuple[str, str]]:
    """Yield each table with all its rows as text."""
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f'SELECT t::text FROM "{name}" AS t')
            rows = "\n".join(row for (row,) in cursor.fetchall())
            yield name, readable(_HEX.sub(_from_hex, rows).encode())


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each file below a folder as text."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield str(path.relative_to(root)), readable(content) + text_of_pdf(content)


def valkey() -> Iterator[tuple[str, str]]:
    """Yield each key of Valkey with its value as text, tasks in queues among them."""
    client = get_redis_connection("default")
    readers: dict[bytes, Any] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    for key in client.keys("*"):
        value = readers[client.type(key)](key)
        content = value if isinstance(value, bytes) else repr(value).encode()
        yield key.decode(errors="replace"), readable(key + b" " + content)


def readable(content: bytes) -> str:
    """Return the bytes as text, with what stands in base64 or is compressed in it at the end."""
    decoded = []
    for found in _BASE64.findall(content):
        try:
            decoded.append(base64.b64decode(found + b"=" * (-len(found) % 4)))
        except binascii.Error:
            continue
    for packed in [content, *decoded]:
        try:
            decoded.append(zlib.decompress(packed))
        except zlib.error:
            continue
    return "\n".join(part.decode("latin-1") for part in [content, *decoded])


def text_of_pdf(content: bytes) -> str:
    """Return the text of a PDF's pages, "" for any other content."""
    if not content.startswith(b"%PDF-"):
        return ""
    try:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except PyPdfError:
        return ""


def contains(text: str, needle: str) -> bool:
    """Whether the text has the needle; digits may have separators between them."""
    if needle.isdigit():
        return bool(re.search(_SEPARATORS.join(needle), text))
    return needle.casefold() in text.casefold()


def _from_hex(match: re.Match[str]) -> str:
    digits = match[1]
    return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1")
