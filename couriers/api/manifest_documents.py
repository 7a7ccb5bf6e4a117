"""The documents of a manifest over the API: PDFs of ours, never a courier's link."""

from __future__ import annotations

from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.renderers import ApiRenderer, PdfRenderer
from couriers.api.schema import extend_schema
from couriers.api.sealed import sealed_pdf
from couriers.documents.checking import PDF
from couriers.fulfilment.manifest_documents import pieces_of
from couriers.models import ManifestChunk


class ManifestDocumentView(ApiView):
    """Fetch a document of a manifest."""

    renderer_classes = (ApiRenderer, PdfRenderer)

    @extend_schema(
        operation_id="get_manifest_document", responses={(200, PDF): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, pk: str, number: int) -> HttpResponseBase:
        """A document of a manifest, by the number of its part. The path is in `documents`."""
        chunks = ManifestChunk.objects.filter(
            manifest__company=company_of(request), manifest__account__is_test=is_test(request)
        )
        chunk = get_object_or_404(chunks, manifest=pk, position=number)
        if not chunk.file:
            raise Http404
        return sealed_pdf(pieces_of(chunk), chunk, f"manifest-{pk}-{number}")
