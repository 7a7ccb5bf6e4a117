"""Documents over the API: labels, alone and many in one PDF, and proofs of delivery."""

from __future__ import annotations

from io import BytesIO

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.actions import ShipmentActions
from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import text
from couriers.api.problem_schema import COURIER, problems
from couriers.api.renderers import ApiRenderer, JpegRenderer, PdfRenderer, PngRenderer
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.documents.checking import ENDINGS, PDF
from couriers.fulfilment.labels import MAX_LABELS, get_label, get_label_data, get_labels
from couriers.fulfilment.proofs import get_proof_of_delivery
from couriers.models import Scope, Shipment


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
        return _file(get_label(shipment), PDF, f"label-{shipment.pk}")

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
        return _file(proof.content, proof.content_type, f"proof-of-delivery-{shipment.pk}")


class LabelsRequestSerializer(StrictSerializer):
    """The shipments whose labels are wanted, in the order of the pages."""

    shipments = serializers.ListField(child=text(40), min_length=1, max_length=MAX_LABELS)


class LabelsView(ApiView):
    """The labels of many shipments."""

    renderer_classes = (ApiRenderer, PdfRenderer)

    @extend_schema(
        operation_id="labels_print",
        scope=Scope.READ,
        request=LabelsRequestSerializer,
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            **problems(*COURIER, "not-booked", "shipment-erased"),
        },
    )
    def post(self, request: Request) -> FileResponse:
        """The labels of many shipments in one PDF, in the order of `shipments`, each once."""
        wanted = LabelsRequestSerializer.from_data(request.data).validated_data["shipments"]
        shipments = Shipment.objects.filter(company=company_of(request)).select_related("account")
        found = shipments.in_bulk(wanted)
        unknown = [
            FieldProblem(f"shipments[{number}]", "is no shipment of the company")
            for number, pk in enumerate(wanted)
            if pk not in found
        ]
        if unknown:
            raise InvalidRequest(unknown)
        return _file(get_labels([found[pk] for pk in wanted]), PDF, "labels")


def _file(content: bytes, content_type: str, name: str) -> FileResponse:
    """The response with a document, which a browser shows as what it is and nothing else."""
    response = FileResponse(
        BytesIO(content), filename=f"{name}.{ENDINGS[content_type]}", content_type=content_type
    )
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response
