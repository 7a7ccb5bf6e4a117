"""The empty spreadsheet of our own format, with an example that is not read as an order."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from couriers.booking.spreadsheet.errors import FileUnusable
from couriers.booking.spreadsheet.formats import OWN
from couriers.booking.spreadsheet.table import COMMENT

EXAMPLE = {
    "order_number": f"{COMMENT}A-1",
    "order_date": "2026-11-23",
    "payment_mode": "COD",
    "consignee_name": "Asha Sample",
    "consignee_phone": "98450 10000",
    "address": "1, Example Street",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560034",
    "product": "Cotton kurta M",
    "category": "Kurta",
    "hsn_code": "62114290",
    "quantity": "1",
    "unit_weight_g": "320",
    "length_cm": "30",
    "width_cm": "22",
    "height_cm": "6",
    "order_value": "1149.00",
    "gst_rate": "5",
    "b2b": "false",
    "landmark": "behind the temple",
    "email": "asha@example.com",
    "sku": "KU-M",
    "service": "",
    "courier": "",
}


def template_text() -> str:
    """Return the CSV text: the header, and a row that begins with `# `, which is not read."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, OWN.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerow(EXAMPLE)
    return text.getvalue()


def write_template(path: Path) -> None:
    """Write the template. Raises FileUnusable if that fails, or for another file of that name."""
    text = template_text()
    try:
        if path.exists() and path.read_bytes() != text.encode():
            raise FileUnusable(f"{path}: is there already, and is not overwritten")
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be written ({error.strerror})") from None
