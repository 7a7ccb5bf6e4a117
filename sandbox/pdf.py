"""PDFs of labels and lists. Knows no shipments, only the lines to write."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas

LABEL_SIZE = (4 * inch, 6 * inch)
LINES_PER_PAGE = 45


@dataclass(frozen=True, slots=True)
class Label:
    """The lines of a label, and the text of the barcode below them."""

    lines: Sequence[str]
    barcode: str


def draw_labels(labels: Sequence[Label]) -> bytes:
    """A PDF of one page of four by six inches for each label."""
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=LABEL_SIZE)
    for label in labels:
        _write(canvas, label.lines, 0.25 * inch, LABEL_SIZE[1] - 0.4 * inch)
        barcode = Code128(label.barcode, barHeight=0.8 * inch, barWidth=1)
        barcode.drawOn(canvas, 0, 0.4 * inch)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def draw_list(title: str, lines: Sequence[str]) -> bytes:
    """A PDF of A4 pages, each with the title and some of the lines."""
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=A4)
    for start in range(0, len(lines), LINES_PER_PAGE):
        page = [title, "", *lines[start : start + LINES_PER_PAGE]]
        _write(canvas, page, 0.8 * inch, A4[1] - inch)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def wrap(text: str, width: int = 44, most_lines: int = 6) -> list[str]:
    """The text in lines of `width` characters; what exceeds the lines is left out."""
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    return lines[:most_lines]


def _write(canvas: Canvas, lines: Sequence[str], left: float, top: float) -> None:
    text = canvas.beginText(left, top)
    text.setFont("Helvetica", 10)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)
