"""The formats of the files that can be read, and which of them a file has."""

from __future__ import annotations

from collections.abc import Sequence

from couriers.booking.spreadsheet.formats import (
    amazon,
    shipcrowd,
    shopify,
    unicommerce,
    woocommerce_advanced,
    woocommerce_skyverge,
)
from couriers.booking.spreadsheet.layout import Format, fold

OWN = shipcrowd.FORMAT
_WOOCOMMERCE = (woocommerce_advanced.FORMAT, woocommerce_skyverge.FORMAT)
ALL = (OWN, shopify.FORMAT, *_WOOCOMMERCE, amazon.FORMAT, unicommerce.FORMAT)
NAMES = tuple(dict.fromkeys(file_format.name for file_format in ALL))


def detect(headings: Sequence[str], name: str = "auto") -> Format:
    """Return the format with most of these headings, of all or of those with that name.

    One whose signature is complete goes before the others. Where nothing fits it is our own, whose
    missing columns are then named.
    """
    folded = set(map(fold, headings))
    candidates = [file_format for file_format in ALL if name in ("auto", file_format.name)]

    def fitness(file_format: Format) -> tuple[bool, int]:
        signature = set(map(fold, file_format.signature))
        return signature <= folded, sum(map(file_format.knows, folded))

    return max(candidates, key=fitness)


__all__ = ["ALL", "NAMES", "OWN", "detect"]
