"""A thousand labels fit into a worker's process, of which at most 200 MB are allowed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.worker import ROOT

KIB = 1024
SCRIPT = """
import io, json, os, resource, sys, tempfile
import django
django.setup()
from django.core.files.storage import FileSystemStorage
from couriers.documents.sealed_files import read_sealed, save_sealed
from couriers.documents.sheets import PageFormat, Sheets
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

def pdf(pages, size):
    # Pages with something of this size that no compression makes smaller.
    writer, made = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        page, data = writer.add_blank_page(288, 432), StreamObject()
        data._data = os.urandom(size)
        data[NameObject("/Subtype")] = NameObject("/Form")
        names = DictionaryObject({NameObject("/X"): writer._add_object(data)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): names})
    writer.write(made)
    return made.getvalue()

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

batches = int(sys.argv[1]), int(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    if not (child := os.fork()):
        for number in range(1000 // batches[0]):
            with open(f"{folder}/{number}", "wb") as file:
                file.write(pdf(*batches))
        os._exit(0)
    os.waitpid(child, 0)
    before = peak()
    sheets, faces = Sheets(PageFormat.A4_4UP, max_bytes=10**9), []
    for number in range(1000 // batches[0]):
        with open(f"{folder}/{number}", "rb") as file:
            faces += sheets.embed(file.read(), labels=batches[0])
    sheets.place(faces)
    storage = FileSystemStorage(location=folder)
    sealed = save_sealed(storage, "labels", "pdf", sheets.write)
    grown = peak() - before
    made = b"".join(read_sealed(storage, sealed.name, sealed.key))
    pages = len(PdfReader(io.BytesIO(made)).pages)
print(json.dumps({"before": before, "grown": grown, "pages": pages}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [5 * KIB, 20 * KIB, 32 * KIB])
def test_a_thousand_labels_are_laid_out_within_a_workers_memory(size: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "100", str(size)],
        capture_output=True, check=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["pages"] == 250
    assert found["grown"] < 75, found  # MB
