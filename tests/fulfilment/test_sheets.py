"""Labels on sheets of paper: whole, in their proportions, no larger than they were drawn."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, NameObject, RectangleObject

from couriers.documents import sheets
from couriers.documents.sheets import BrokenPdf, Face, PageFormat, Sheets, TooLarge
from sandbox.pdf import Label, draw_labels

LABEL = draw_labels([Label(["T-1"], barcode="T-1")])
CELLS = [cell for _, cells in sheets._SHEETS.values() for cell in cells]
sizes = st.floats(20, 3000)


@settings(deadline=None)
@given(
    left=st.floats(-500, 500), bottom=st.floats(-500, 500), width=sizes, height=sizes,
    turn=st.sampled_from([0, 90, 180, 270]), cell=st.sampled_from(CELLS),
)  # fmt: skip
def test_a_label_is_drawn_whole_within_its_place_and_keeps_its_proportions(
    left: float, bottom: float, width: float, height: float, turn: int, cell: Any
) -> None:
    face = Face(None, (left, bottom, left + width, bottom + height), turn)
    a, b, c, d, e, f = sheets._matrix(face, cell)
    for x in (left, left + width):
        for y in (bottom, bottom + height):
            across, up = a * x + c * y + e, b * x + d * y + f
            assert cell.left - 0.01 <= across <= cell.left + cell.width + 0.01
            assert cell.bottom - 0.01 <= up <= cell.bottom + cell.height + 0.01
    scale = math.hypot(a, b)
    assert math.isclose(scale, math.hypot(c, d), rel_tol=1e-6)
    assert abs(a * c + b * d) < 1e-6
    assert a * d - b * c > 0  # not mirrored
    fits = [(width, height), (height, width)]
    best = max(min(1, cell.width / w, cell.height / h) for w, h in fits)
    assert math.isclose(scale, best, rel_tol=1e-6)


def test_four_places_of_a_page_are_apart_and_run_from_the_top_left() -> None:
    (width, height), cells = sheets._SHEETS[PageFormat.A4_4UP]
    assert [(cell.left < width / 2, cell.bottom < height / 2) for cell in cells] == [
        (True, False), (False, False), (True, True), (False, True),
    ]  # fmt: skip
    for cell in cells:
        assert cell.left % (width / 2) + cell.width < width / 2
        assert cell.bottom % (height / 2) + cell.height < height / 2


def written(page_format: PageFormat, *contents: bytes) -> PdfReader:
    made, stream = Sheets(page_format, max_bytes=10**7), io.BytesIO()
    for faces in [made.embed(content) for content in contents]:
        made.place(faces)
    made.write(stream)
    return PdfReader(stream)


def changed(change: Any) -> bytes:
    writer, stream = PdfWriter(clone_from=io.BytesIO(LABEL)), io.BytesIO()
    change(writer, writer.pages[0])
    writer.write(stream)
    return stream.getvalue()


def in_parts(writer: PdfWriter, page: Any) -> None:
    head, _, rest = page.get_contents().get_data().partition(b"\n")
    parts = []
    for data in (head, rest):
        part = DecodedStreamObject()
        part.set_data(data)
        parts.append(writer._add_object(part))
    page[NameObject("/Contents")] = ArrayObject(parts)


@pytest.mark.parametrize("page_format", PageFormat)
@pytest.mark.parametrize(
    "change", [lambda writer, page: None, in_parts, lambda writer, page: page.rotate(90)]
)
def test_the_text_of_a_label_is_there_however_its_page_is_written(
    page_format: PageFormat, change: Any
) -> None:
    reader = written(page_format, changed(change))
    assert "T-1" in reader.pages[0].extract_text()


def test_a_page_as_it_was_made_keeps_its_visible_size() -> None:
    def crop(writer: PdfWriter, page: Any) -> None:
        page.cropbox = RectangleObject((10, 20, 110, 320))
        page.rotate(90)

    (page,) = written(PageFormat.ORIGINAL, changed(crop)).pages
    assert (page.mediabox.width, page.mediabox.height) == (300, 100)


def test_an_empty_page_takes_a_place() -> None:
    blank = changed(lambda writer, page: page.pop("/Contents"))
    assert len(written(PageFormat.FOUR_BY_SIX, blank, LABEL).pages) == 2


def test_a_label_with_very_many_pages_is_broken() -> None:
    many = draw_labels([Label(["T"], barcode="T")] * (sheets.MAX_PAGES + 1))
    made = Sheets(PageFormat.A4, max_bytes=10**7)
    with pytest.raises(BrokenPdf, match="21 pages"):
        made.embed(many)
    assert len(made.embed(many, labels=2)) == 21


def test_labels_are_limited_together() -> None:
    made = Sheets(PageFormat.A4, max_bytes=len(LABEL) * 2)
    made.embed(LABEL)
    made.embed(LABEL)
    with pytest.raises(TooLarge):
        made.embed(LABEL)
