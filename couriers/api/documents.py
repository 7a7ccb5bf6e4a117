"""Documents of a shipment over the API: its label, the label's data, and the proof of delivery."""

from __future__ import annotations

from io import BytesIO

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.actions import ShipmentActions
from couriers.api.problem_schema import COURIER, problems
from couriers.api.renderers import ApiRenderer, JpegRenderer, PdfRenderer, PngRenderer
from couriers.api.schema import extend_schema
from couriers.documents.checking import ENDINGS, PDF
from couriers.fulfilment.labels import get_label, get_label_data
from couriers.fulfilment.proofs import get_proof_of_delivery


class ShipmentDocuments(ShipmentActions):
    """The documents of a shipment. Each is fetched from the courier once, then stored."""

    @extend_schema(
        filters=False,
        parameters=[],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            **problems(*COURIER, "not-booked", "shipment-erased"),
        },
    )
    @action(
        detail=True,
        methods=["get"],
        filterset_class=None,
        renderer_classes=[ApiRenderer, PdfRenderer],
    )
    def label(self, request: Request, pk: str) -> FileResponse:
        """The packing label as a PDF. It is fetched from the courier once, then stored."""
        shipment = self.shipment(pk)
        return file_response(get_label(shipment), PDF, f"label-{shipment.pk}")

    @extend_schema(
        filters=False,
        parameters=[],
        responses={
            200: OpenApiTypes.OBJECT,
            **problems(*COURIER, "not-booked", "shipment-erased"),
        },
    )
    @action(detail=True, methods=["get"], filterset_class=None, url_path="label/data")
    def label_data(self, request: Request, pk: str) -> Response:
        """The label's data as the courier's own JSON, to print a label of one's own design."""
        return Response(get_label_data(self.shipment(pk)))

    @extend_schema(
        filters=False,
        parameters=[],
        responses={
            **{(200, media_type): OpenApiTypes.BINARY for media_type in ENDINGS},
            **problems(*COURIER, "not-delivered", "shipment-erased"),
        },
    )
    @action(
        detail=True,
        methods=["get"],
        filterset_class=None,
        url_path="proof-of-delivery",
        renderer_classes=[ApiRenderer, PdfRenderer, JpegRenderer, PngRenderer],
    )
    def proof_of_delivery(self, request: Request, pk: str) -> FileResponse:
        """The proof of a delivery: a PDF or an image. It is fetched once, then stored."""
        shipment = self.shipment(pk)
        proof = get_proof_of_delivery(shipment)
        return file_response(proof.content, proof.content_type, f"proof-of-delivery-{shipment.pk}")


def file_response(content: bytes, content_type: str, name: str) -> FileResponse:
    """The response with a document, which a browser shows as what it is and nothing else."""
    response = FileResponse(
        BytesIO(content), filename=f"{name}.{ENDINGS[content_type]}", content_type=content_type
    )
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response
