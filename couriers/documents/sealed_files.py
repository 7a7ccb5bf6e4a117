"""Files in the storage of documents that are encrypted piece by piece, so that they may be large.

A file is lines, each of which is a Fernet token of one piece. A piece begins with its number and
with whether it is the last one, so that a file that was cut or put together anew is not read.
"""

from __future__ import annotations

import secrets
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from cryptography.fernet import Fernet, InvalidToken
from django.core.files.base import File
from django.core.files.storage import Storage

from couriers.contract.logs import get_logger
from couriers.models.fields import SealedBytes

log = get_logger(__name__)

PIECE = 256 * 1024  # bytes
_HEAD = struct.Struct(">Q?")
_MAX_LINE = 2 * PIECE  # of a token, which is four thirds of its piece


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that was stored: its name in the storage, its key, and its size before encryption."""

    name: str
    key: bytes
    size: int


class _Sealer:
    """A file to write to. What is written is encrypted and goes into `sealed`."""

    def __init__(self, sealed: IO[bytes], key: bytes) -> None:
        self.size = 0
        self._sealed, self._cipher = sealed, Fernet(key)
        self._rest, self._number = bytearray(), 0

    def write(self, data: bytes) -> int:
        self._rest += data
        self.size += len(data)
        while len(self._rest) > PIECE:
            self._seal(bytes(self._rest[:PIECE]))
            del self._rest[:PIECE]
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Do nothing: the last piece is written by `close`."""

    def close(self) -> None:
        self._seal(bytes(self._rest), is_last=True)

    def _seal(self, piece: bytes, *, is_last: bool = False) -> None:
        token = self._cipher.encrypt(_HEAD.pack(self._number, is_last) + piece)
        self._sealed.write(token + b"\n")
        self._number += 1


def save_sealed(
    storage: Storage, folder: str, ending: str, write: Callable[[Any], object]
) -> SealedFile:
    """Store a file that `write` writes, encrypted with a key of its own; return a SealedFile.

    Nothing is stored in clear, not even for a moment. Raises what `write` and the storage raise.
    """
    key = Fernet.generate_key()
    name = f"{folder}/{secrets.token_hex(16)}.{ending}.sealed"
    with tempfile.TemporaryFile() as sealed:
        sealer = _Sealer(sealed, key)
        write(sealer)
        sealer.close()
        sealed.seek(0)
        try:
            stored = storage.save(name, File(sealed))
        except BaseException:
            delete_sealed(storage, name)
            raise
    return SealedFile(stored, key, sealer.size)


def read_sealed(storage: Storage, name: str, key: Any) -> Iterator[bytes]:
    """Yield the pieces of a file that `save_sealed` stored. `key` may be as a row has it.

    Raises InvalidToken where the key is another one or lost, or the file is not whole, and
    FileNotFoundError.
    """
    cipher = Fernet(key.open() if isinstance(key, SealedBytes) else key)
    with storage.open(name, "rb") as sealed:
        number, is_last = 0, False
        while line := sealed.readline(_MAX_LINE):
            data = cipher.decrypt(line.rstrip(b"\n"))
            found, ends = _HEAD.unpack_from(data)
            if found != number or is_last:
                raise InvalidToken
            is_last = ends
            yield data[_HEAD.size :]
            number += 1
    if not is_last:
        raise InvalidToken


def delete_sealed(storage: Storage, name: str) -> None:
    """Delete a file, or what is there of it. Without its key nobody can read what is left."""
    try:
        storage.delete(name)
    except Exception as error:  # noqa: BLE001 - a storage may raise anything while it is away
        log.error("document_file_left", name=name, error=type(error).__name__)
