"""Lists as CSV: cells that no spreadsheet takes for a formula, and the record of who exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from couriers.contract.india.phones import parse_phone
from couriers.contract.logs import get_logger
from couriers.contract.masking import MASK, mask_text
from couriers.contract.text import without_formula
from couriers.models.audit import record

log = get_logger(__name__)

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet does not take the file for UTF-8


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of CSV (RFC 4180) with its line break."""
    quoted = (without_formula(cell).replace('"', '""') for cell in cells)
    return ",".join(f'"{cell}"' for cell in quoted) + "\r\n"


def record_export(actor: Any, rows: int, of_list: str, filters: Mapping[str, str]) -> None:
    """Record who exported which list, how it was filtered, and how many rows it had.

    What was searched for may be a phone, so it is recorded masked.
    """
    masked = {
        name: MASK if parse_phone(value) else mask_text(value) for name, value in filters.items()
    }
    details = {"list": of_list, "filters": masked, "rows": rows}
    record(None, "export_list", actor=actor, details=details)
    log.warning("list_exported", name=of_list, rows=rows, actor=str(actor.pk))
