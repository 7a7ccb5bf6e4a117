"""Labels and manifests on paper. Knows no shipments, only what is to be written."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas

LABEL = (4 * inch, 6 * inch)
LINES_A_PAGE = 45


def labels(fields: Sequence[Mapping[str, str]]) -> bytes:
    """A label a page, four inches by six, with its waybill as a barcode."""
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=LABEL)
    for field in fields:
        left, top = 0.25 * inch, LABEL[1] - 0.4 * inch
        lines = [
            f"Tracking id: {field['tracking_id']}",
            f"Waybill: {field['wbn']}",
            f"Order: {field['order_number']}",
            f"{field['payment_mode']} {field['cod_amount']}",
            f"To: {field['consignee_name']}",
            *_broken(field["address"]),
            f"{field['city']}, {field['state']} {field['pincode']}",
            f"From: {field['seller_name']}",
        ]
        _write(canvas, lines, left, top)
        Code128(field["wbn"], barHeight=0.8 * inch, barWidth=1).drawOn(canvas, 0, 0.4 * inch)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def manifest(number: int, lines: Sequence[str]) -> bytes:
    """The list of what is handed over."""
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=A4)
    for start in range(0, len(lines), LINES_A_PAGE):
        page = [f"Manifest {number}", "", *lines[start : start + LINES_A_PAGE]]
        _write(canvas, page, 0.8 * inch, A4[1] - inch)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def _write(canvas: Canvas, lines: Sequence[str], left: float, top: float) -> None:
    text = canvas.beginText(left, top)
    text.setFont("Helvetica", 10)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)


def _broken(text: str, width: int = 44) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)][:6]
