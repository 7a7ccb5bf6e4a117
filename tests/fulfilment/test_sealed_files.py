"""Large files are encrypted piece by piece, and one that was cut or put together is not read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.files.storage import FileSystemStorage

from couriers.documents.sealed_files import PIECE, SealedFile, read_sealed, save_sealed


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    return FileSystemStorage(location=tmp_path)


def save(storage: FileSystemStorage, *parts: bytes) -> SealedFile:
    def write(stream: Any) -> None:
        for part in parts:
            assert stream.write(part) == len(part)
        assert stream.tell() == sum(map(len, parts))

    return save_sealed(storage, "folder", "pdf", write)


def read(storage: FileSystemStorage, file: SealedFile) -> bytes:
    return b"".join(read_sealed(storage, file.name, file.key))


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_was_written_is_read(storage: FileSystemStorage, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    file = save(storage, content[: size // 2], content[size // 2 :])
    assert file.size == size
    assert read(storage, file) == content
    assert content[:100] not in Path(storage.path(file.name)).read_bytes() or size < 4


def without(lines: Sequence[bytes], number: int) -> list[bytes]:
    return [line for position, line in enumerate(lines) if position != number]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: without(lines, 1),
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0][:-5], *lines[1:]],
        lambda lines: [],
    ],
)
def test_a_file_that_is_not_whole_is_not_read(storage: FileSystemStorage, change: Any) -> None:
    file = save(storage, b"a" * PIECE, b"b" * PIECE, b"c" * PIECE)
    path = Path(storage.path(file.name))
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())))
    with pytest.raises(InvalidToken):
        read(storage, file)


def test_another_key_does_not_open_it(storage: FileSystemStorage) -> None:
    file = save(storage, b"secret")
    with pytest.raises(InvalidToken):
        list(read_sealed(storage, file.name, Fernet.generate_key()))


def test_nothing_is_stored_where_writing_fails(storage: FileSystemStorage, tmp_path: Path) -> None:
    def write(stream: Any) -> None:
        stream.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save_sealed(storage, "folder", "pdf", write)
    assert list(tmp_path.rglob("*.sealed")) == []
