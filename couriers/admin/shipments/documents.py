"""Documents in the admin: a view checks the permission and serves the file.

A document holds a consignee's data. So it is stored encrypted, and is read through the admin
alone, whatever URLs the storage has. The admin's own pages, and so these, may be kept by no cache.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from unfold.decorators import action, display

from couriers.admin.base import ReadOnlyAdmin, admin_url, link
from couriers.admin.decision_pages import as_sentence, can_decide, decision_url, shipment_url
from couriers.admin.registration import page
from couriers.contract.content_policy import HEADER
from couriers.contract.errors import CourierError
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import PlatformError
from couriers.documents.storing import file_name, read_stored
from couriers.fulfilment.proofs import get_proof_of_delivery, offers_proof
from couriers.models import Shipment, StoredDocument
from couriers.models.audit import record
from couriers.models.document import DocumentState

log = get_logger(__name__)

OPENED = "open_document"  # the action in the audit trail
VIEW = "shipcrowd_couriers.view_storeddocument"
STATE_COLOURS = {
    DocumentState.PENDING: "warning",
    DocumentState.STORED: "success",
    DocumentState.FAILED: "danger",
}


@page(StoredDocument)
class StoredDocumentAdmin(ReadOnlyAdmin):
    company_path = "shipment__company"
    list_display = ("tracking_id", "kind", "shipment", "state_label", "stored_at", "document")
    search_fields = ("=shipment__id",)
    list_filter = ("kind", "state", "stored_at")
    list_select_related = ("shipment",)
    fields = (
        "shipment", "kind", "tracking_id", "state", "reason", "failures", "file_name",
        "content_type", "stored_at",
    )  # fmt: skip
    readonly_fields = ("file_name",)
    actions_detail = ["open_document"]

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, document: StoredDocument) -> tuple[str, str]:
        return document.state, document.get_state_display()

    @admin.display(description="File")
    def file_name(self, document: StoredDocument) -> str:
        return str(document.file.name)

    @admin.display(description="")
    def document(self, document: StoredDocument) -> str:
        return _link(self, document)

    @action(description="Open the document", url_path="open", permissions=["view"])
    def open_document(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The button: serve the file, or say with a 404 why there is none."""
        document = self.get_object(request, object_id)
        if document is None:
            raise Http404
        content = read_stored(document)
        if content is None:
            return _gone(self, request, document)
        record(document, OPENED, actor=request.user)
        log.info("document_opened", document=document.pk, actor=str(request.user.pk))
        name = file_name(document.kind, document.tracking_id, document.content_type)
        return serve_file(content, document.content_type, name)


class ProofMixin(admin.ModelAdmin):
    """Adds a button to a delivered shipment whose courier has proofs of delivery."""

    @action(description="Proof of delivery", url_path="proof", permissions=["open_proof"])
    def open_proof(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button: redirect to the document."""
        return redirect(admin_url(self, "shipcrowd_proof_of_delivery", object_id))

    def has_open_proof_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown."""
        if not can_decide(request, VIEW, object_id):
            return False
        return object_id is None or offers_proof(Shipment.objects.get(pk=object_id))

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not open a proof of delivery."
        name = "shipcrowd_proof_of_delivery"
        url = decision_url(self, "proof-of-delivery", name, VIEW, refusal, self.proof_page)
        return [url, *super().get_urls()]

    def proof_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponseBase:
        """Serve the proof, which is fetched the first time, or say why there is none."""
        try:
            proof = get_proof_of_delivery(shipment)
        except (CourierError, PlatformError) as error:
            messages.error(request, as_sentence(error))
            return redirect(shipment_url(self, shipment.pk))
        record(shipment, OPENED, actor=request.user, details={"kind": "proof_of_delivery"})
        log.info("proof_opened", shipment=shipment.pk, actor=str(request.user.pk))
        return serve_file(proof.content, proof.content_type, proof.filename)


def serve_file(content: bytes, content_type: str, name: str) -> FileResponse:
    """The answer with a document, which the browser shows and does nothing else with."""
    response = FileResponse(BytesIO(content), content_type=content_type, filename=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    # No `default-src`: browsers show a PDF by an embedded viewer of their own.
    response.headers[HEADER] = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return response


def _link(model_admin: Any, document: StoredDocument) -> str:
    if document.state != DocumentState.STORED:
        return ""
    url = admin_url(model_admin, "shipcrowd_couriers_storeddocument_open_document", document.pk)
    return link(url, "Open")


def _gone(model_admin: Any, request: HttpRequest, document: StoredDocument) -> HttpResponse:
    kind = document.get_kind_display().lower()
    state = "gone" if document.state == DocumentState.STORED else "not there"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"The {kind} of {document.tracking_id} is {state}",
        "document": document,
        "back": admin_url(model_admin, "shipcrowd_couriers_storeddocument_change", document.pk),
    }
    template = "admin/shipcrowd_couriers/document_gone.html"
    return TemplateResponse(request, template, context, status=404)
