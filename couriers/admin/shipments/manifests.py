"""Read-only admin of manifests, their chunks, and the documents of these."""

from __future__ import annotations

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from unfold.decorators import action

from couriers.admin.base import ReadOnlyAdmin, ReadOnlyInline, admin_url
from couriers.admin.registration import page
from couriers.admin.shipments.documents import OPENED, VIEW, serve_file
from couriers.admin.today.work_filter import WorkFilter
from couriers.fulfilment.manifest_documents import pieces_of
from couriers.models import Manifest, ManifestChunk
from couriers.models.audit import record
from couriers.models.document import PDF


class ChunkInline(ReadOnlyInline):
    model = ManifestChunk
    fields = ("position", "state", "attempts", "number", "reason")
    show_change_link = True


@page(Manifest)
class ManifestAdmin(ReadOnlyAdmin):
    company_path = "company"
    list_display = ("id", "company", "account", "state", "created_at", "finished_at")
    search_fields = ("=id",)
    list_filter = ("state", "company")
    list_select_related = ("company", "account__company", "account__courier")
    inlines = (ChunkInline,)


@page(ManifestChunk)
class ManifestChunkAdmin(ReadOnlyAdmin):
    """Chunks. The document is a file of ours; a courier's link is shown nowhere."""

    company_path = "manifest__company"
    list_display = ("manifest", "position", "state", "attempts", "number", "reason")
    search_fields = ("=manifest__id", "=number")
    list_filter = (WorkFilter, "state")
    list_select_related = ("manifest",)
    fields = (
        "manifest", "position", "state", "number", "tracking_ids", "reason", "attempts", "failures",
        "finished_at",
    )  # fmt: skip
    actions_detail = ["open_document"]

    def has_open_document_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Whether the button is shown, and works."""
        return request.user.has_perm(VIEW) and self.has_view_permission(request)

    @action(description="Open the document", url_path="open", permissions=["open_document"])
    def open_document(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The button: serve the PDF, or say on the chunk's page that there is none."""
        chunk = self.get_object(request, object_id)
        if chunk is None:
            raise Http404
        try:
            content = b"".join(pieces_of(chunk)) if chunk.file else None
        except (FileNotFoundError, InvalidToken):
            content = None
        if content is None:
            messages.error(request, "There is no document, or it cannot be read.")
            return redirect(admin_url(self, "shipcrowd_couriers_manifestchunk_change", chunk.pk))
        record(chunk, OPENED, actor=request.user)
        return serve_file(content, PDF, f"manifest-{chunk.number or chunk.pk}.pdf")
