"""What the tabs of a shipment's page show: documents, money, who did what, and the raw fields."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from couriers.admin.base import admin_url
from couriers.admin.shipments.documents import STATE_COLOURS, VIEW
from couriers.admin.staff import sentences
from couriers.booking.answers import charges_of
from couriers.fulfilment.proofs import offers_proof
from couriers.models import AuditEntry, Shipment, StoredDocument
from couriers.models.document import DocumentState

HISTORY_PAGE = 50
MAX_DOCUMENTS = 100  # of a shipment, the newest
AMOUNTS = (
    "cod_amount", "total_amount", "taxable_amount", "tax_amount", "charges", "price_booked",
    "price_quoted",
)  # fmt: skip
# What the raw fields leave out: secrets and the consignee's data, and the items' values.
NOT_RAW = frozenset(
    {
        "options", "consignee_phone", "consignee_address", "consignee_landmark", "consignee_email",
        "phone_hash", "items", "metadata",
    }
)  # fmt: skip


def documents_of(
    model_admin: admin.ModelAdmin, request: HttpRequest, shipment: Shipment
) -> dict[str, Any]:
    """The stored documents with links for those who may open them, and the invoice's data."""
    may_open = request.user.has_perm(VIEW)
    rows = StoredDocument.objects.filter(shipment=shipment).defer("link", "file_key")
    documents = [
        {
            "kind": row.get_kind_display(),
            "row": row,
            "colour": STATE_COLOURS[DocumentState(row.state)],
            "url": admin_url(model_admin, "shipcrowd_couriers_storeddocument_open_document", row.pk)
            if may_open and row.state == DocumentState.STORED
            else "",
        }
        for row in rows.order_by("-id")[:MAX_DOCUMENTS]
    ]
    proof = ""
    if may_open and offers_proof(shipment):
        proof = admin_url(model_admin, "shipcrowd_proof_of_delivery", shipment.pk)
    return {"documents": documents, "proof_url": proof}


def money_of(shipment: Shipment) -> list[tuple[str, str]]:
    """The amounts in rupees, as lines of a label and a text."""
    lines = [
        ("Payment", shipment.get_payment_mode_display()),
        ("To collect (COD)", f"₹{shipment.cod_amount}" if shipment.cod_amount else ""),
        ("Total", f"₹{shipment.total_amount}"),
        ("Taxable", f"₹{shipment.taxable_amount}"),
        ("Tax", f"₹{shipment.tax_amount}"),
        *(
            (f"{item['quantity']} of {item['name']}", f"₹{item['value']}")
            for item in shipment.items
        ),
    ]
    charges = charges_of(shipment)
    if charges is not None:
        weight = charges["billed_weight_g"]
        lines += [
            ("The courier's charges", f"₹{charges['total']}"),
            *((f"— {name}", f"₹{amount}") for name, amount in charges["parts"].items()),
            ("— GST", "" if charges["gst"] is None else f"₹{charges['gst']}"),
            ("Weight that is billed", "" if weight is None else f"{weight} g"),
        ]
    return [(label, text) for label, text in lines if text]


def history_of(shipment: Shipment, before: str) -> dict[str, Any]:
    """The decisions about the shipment, the newest first, older than the entry of this id."""
    rows = AuditEntry.objects.filter(shipment=shipment).select_related("actor")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-id")[: HISTORY_PAGE + 1])
    shown = found[:HISTORY_PAGE]
    in_words = [
        (one, sentences.who(one), sentences.what(one), sentences.changes(one)) for one in shown
    ]
    return {"history": in_words, "older_id": shown[-1].pk if len(found) > len(shown) else None}


def raw_of(shipment: Shipment, *, with_amounts: bool) -> list[tuple[str, str]]:
    """The columns by their names, without what nobody may read and without what is empty."""
    hidden = NOT_RAW if with_amounts else NOT_RAW.union(AMOUNTS)
    values = (
        (field.attname, getattr(shipment, field.attname))
        for field in shipment._meta.concrete_fields
        if field.name not in hidden
    )
    return [(name, str(value)) for name, value in values if value not in (None, "", [], {})]
