"""Puts the pages of labels on sheets of paper: as they are, or one or four on a page.

The pages of each PDF are embedded as drawings (form XObjects, ISO 32000-1, 8.10), without reading
what they draw. So a label is turned and made smaller as a whole, is never cut, and its PDF can be
forgotten once it is embedded. Annotations are no part of the drawing and are left out.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.db import models

if TYPE_CHECKING:
    from pypdf import PageObject, PdfWriter

MAX_PAGES = 20  # of one label
_MM = 72 / 25.4  # points
_A4 = (210 * _MM, 297 * _MM)
_4X6 = (4 * 72.0, 6 * 72.0)
_MARGIN = 3 * _MM  # which printers leave blank, around each of four labels


class PageFormat(models.TextChoices):
    """The pages that labels are printed on."""

    ORIGINAL = "original", "As the courier made them"
    A4 = "a4", "A4, one on a page"
    FOUR_BY_SIX = "4x6", "4 by 6 inches, one on a page"
    A4_4UP = "a4_4up", "A4, four on a page"


class BrokenPdf(ValueError):
    """The PDF cannot be read; the message says why, without its content."""


class TooLarge(ValueError):
    """The labels are larger than the sheets may be."""


class _Cell(NamedTuple):
    """A place on a page: the lower left corner, and the size, in points."""

    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Face:
    """A page of a label that is embedded: its drawing, its box in points, and how it is turned.

    `turn` is in degrees clockwise, 0 to 270.
    """

    form: Any
    box: tuple[float, float, float, float]
    turn: int

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height as they are seen."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (height, width) if self.turn in (90, 270) else (width, height)


def _quarters() -> tuple[_Cell, ...]:
    width, height = _A4[0] / 2, _A4[1] / 2
    return tuple(
        _Cell(
            column * width + _MARGIN,
            row * height + _MARGIN,
            width - 2 * _MARGIN,
            height - 2 * _MARGIN,
        )
        for row in (1, 0)  # from the top
        for column in (0, 1)
    )


_SHEETS: dict[PageFormat, tuple[tuple[float, float], tuple[_Cell, ...]]] = {
    PageFormat.A4: (_A4, (_Cell(0, 0, *_A4),)),
    PageFormat.FOUR_BY_SIX: (_4X6, (_Cell(0, 0, *_4X6),)),
    PageFormat.A4_4UP: (_A4, _quarters()),
}


class Sheets:
    """A PDF that is being made. Labels are embedded in any order, and then placed in theirs.

    `max_bytes` limits the PDFs that are embedded, together.
    """

    def __init__(self, page_format: PageFormat, *, max_bytes: int) -> None:
        # Imported here because pypdf takes a twentieth of a process' start-up time, and few
        # processes ever write PDFs.
        from pypdf import PdfWriter

        self._writer: PdfWriter = PdfWriter()
        self._format = page_format
        self._left = max_bytes
        self._page: PageObject | None = None
        self._cells: list[_Cell] = []

    def embed(self, content: bytes, *, labels: int = 1) -> list[Face]:
        """Embed the pages of a PDF of so many labels; return them in their order, at least one.

        Raises BrokenPdf, and TooLarge where all PDFs are larger than `max_bytes` together.
        """
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge
        from pypdf import PdfReader

        try:
            reader = PdfReader(io.BytesIO(content))
            pages = list(reader.pages)
            if not 0 < len(pages) <= MAX_PAGES * labels:
                raise BrokenPdf(f"has {len(pages)} pages")
            faces = [self._face(page) for page in pages]
            self._writer.reset_translation(reader)
            reader.close()  # it refers to itself, so its content would stay for long
        except BrokenPdf:
            raise
        except Exception as error:
            # pypdf raises many kinds of errors for a broken PDF, also those of Python.
            raise BrokenPdf(f"cannot be read ({type(error).__name__})") from error
        return faces

    def place(self, faces: Iterable[Face]) -> None:
        """Put the pages of a label on the next free places."""
        for face in faces:
            width, height = face.size
            if self._format is PageFormat.ORIGINAL:
                self._new_page((width, height), (_Cell(0, 0, width, height),))
            elif not self._cells:
                self._new_page(*_SHEETS[self._format])
            self._draw(face, self._cells.pop(0))

    def write(self, stream: IO[bytes]) -> int:
        """Write the PDF, and return its number of pages."""
        self._writer.write(stream)
        return len(self._writer.pages)

    def _face(self, page: PageObject) -> Face:
        from pypdf.generic import ArrayObject, FloatObject, NameObject

        left, bottom, right, top = (float(number) for number in page.cropbox)
        if not (right - left >= 1 and top - bottom >= 1):
            raise BrokenPdf("has a page without a size")
        turn = int(page.rotation) % 360
        if turn % 90:
            raise BrokenPdf("has a page that is turned askew")
        form = _drawing(page)
        form[NameObject("/Type")] = NameObject("/XObject")
        form[NameObject("/Subtype")] = NameObject("/Form")
        box = ArrayObject(FloatObject(number) for number in (left, bottom, right, top))
        form[NameObject("/BBox")] = box
        for name in ("/Resources", "/Group"):
            if name in page:
                original: Any = page[name].get_object()
                own = original.clone(self._writer)
                form[NameObject(name)] = getattr(own, "indirect_reference", None) or own
        added = self._writer._add_object(form)
        return Face(added, (left, bottom, right, top), turn)

    def _new_page(self, size: tuple[float, float], cells: tuple[_Cell, ...]) -> None:
        from pypdf.generic import DictionaryObject, NameObject

        self._page = self._writer.add_blank_page(*size)
        names = DictionaryObject({NameObject("/XObject"): DictionaryObject()})
        self._page[NameObject("/Resources")] = names
        self._cells = list(cells)

    def _draw(self, face: Face, cell: _Cell) -> None:
        """Draw a face in the middle of a cell: upright or lying, whichever is larger, uncut."""
        from pypdf.generic import NameObject, StreamObject

        page: Any = self._page
        forms = page["/Resources"]["/XObject"]
        name = f"/Label{len(forms)}"
        forms[NameObject(name)] = face.form
        numbers = " ".join(f"{number:.5f}" for number in _matrix(face, cell))
        drawn = f"q {numbers} cm {name} Do Q\n".encode()
        if "/Contents" in page:
            content = page["/Contents"].get_object()
            content.set_data(content.get_data() + drawn)
        else:
            content = StreamObject()
            content.set_data(drawn)
            page[NameObject("/Contents")] = self._writer._add_object(content)


def _drawing(page: PageObject) -> Any:
    """Return a stream with the content of a page, compressed as it was where it is one stream."""
    from pypdf.generic import NameObject, StreamObject

    content = page.get("/Contents")
    content = None if content is None else content.get_object()
    form = StreamObject()
    if isinstance(content, StreamObject):
        form._data = content._data
        for name in ("/Filter", "/DecodeParms"):
            if name in content:
                form[NameObject(name)] = content[name].get_object()
        return form
    parts = [] if content is None else [part.get_object().get_data() for part in content]
    # A token may not go from one part into the next (ISO 32000-1, 7.8.2).
    form.set_data(b"\n".join(parts))
    return form.flate_encode()


def _matrix(face: Face, cell: _Cell) -> tuple[float, ...]:
    """Return the matrix that draws the face in the middle of the cell, no larger than it is."""
    from pypdf import Transformation

    width, height = face.size
    upright = min(1.0, cell.width / width, cell.height / height)
    lying = min(1.0, cell.width / height, cell.height / width)
    turn = face.turn
    scale = upright
    if lying > upright:
        turn, scale, width, height = (turn + 270) % 360, lying, height, width
    left, bottom, right, top = face.box
    shifts = {
        0: (0.0, 0.0),
        90: (0.0, right - left),
        180: (right - left, top - bottom),
        270: (top - bottom, 0.0),
    }
    return (
        Transformation()
        .translate(-left, -bottom)
        .rotate(-turn)
        .translate(*shifts[turn])
        .scale(scale)
        .translate(
            cell.left + (cell.width - width * scale) / 2,
            cell.bottom + (cell.height - height * scale) / 2,
        )
        .ctm
    )
