"""Labels of many shipments in one PDF over the API: at once, or above 100 as a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.documents import file_response
from couriers.api.fields import moment, text
from couriers.api.headers import WORK, ask_later
from couriers.api.problem_schema import COURIER, problems
from couriers.api.renderers import ApiRenderer, PdfRenderer
from couriers.api.schema import extend_schema
from couriers.api.sealed import sealed_pdf
from couriers.api.serializers import StrictSerializer
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import LabelsMissing, LabelsNotReady
from couriers.documents.checking import PDF
from couriers.documents.sheets import PageFormat
from couriers.fulfilment import label_jobs
from couriers.fulfilment.many_labels import MAX_AT_ONCE, MAX_LABELS, print_labels
from couriers.models import LabelJob, Scope, Shipment
from couriers.models.addresses import path_of
from couriers.models.label_job import LabelJobState
from couriers.tasks import start_labels

MAX_NAMED = 20  # shipments that an error names


class LabelsRequestSerializer(StrictSerializer):
    """The shipments whose labels are wanted, in the order of the pages, and the pages."""

    shipments = serializers.ListField(child=text(40), min_length=1, max_length=MAX_LABELS)
    format = serializers.ChoiceField(
        choices=PageFormat.choices, required=False, default=PageFormat.ORIGINAL
    )


class MissingLabelSerializer(serializers.Serializer[Any]):
    """A shipment whose label cannot be had. `position` is its place in `shipments`, from 0."""

    position = serializers.IntegerField()
    shipment = serializers.CharField()
    reason = serializers.CharField()


class LabelJobSerializer(serializers.Serializer[Any]):
    """A PDF of many labels.

    It is `done` with all labels, at `file` until `expires_at`; or it has `failed`, with each label
    that is `missing`, or a `reason` of the whole.
    """

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=LabelJobState.choices)
    format = serializers.ChoiceField(choices=PageFormat.choices)
    total = serializers.IntegerField()
    pages = serializers.IntegerField()
    file = serializers.CharField(
        allow_null=True, help_text="The path of the PDF; null while there is none."
    )
    missing = MissingLabelSerializer(many=True)
    reason = serializers.CharField()
    created_at = moment()
    finished_at = moment(allow_null=True)
    expires_at = moment(allow_null=True)


OF_THE_JOB = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[202],
    description="Where to ask for the job.",
    required=True,
)


class LabelsView(ApiView):
    """The labels of many shipments."""

    renderer_classes = (ApiRenderer, PdfRenderer)

    @extend_schema(
        operation_id="print_labels",
        scope=Scope.READ,
        request=LabelsRequestSerializer,
        parameters=[OF_THE_JOB],
        responses={
            (200, PDF): OpenApiTypes.BINARY,
            (202, "application/json"): LabelJobSerializer,
            **problems(*COURIER, "labels-missing", "too-large", "too-many-jobs"),
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """The labels of up to 1,000 shipments in one PDF, in the order of `shipments`, each once.

        200: the PDF, for up to 100. 202: workers make it, and `Location` is where to ask for it.
        There is no PDF with a label less: where one cannot be had, each such shipment is named.
        """
        data = LabelsRequestSerializer.from_data(request.data).validated_data
        client, page_format = of_client(request), PageFormat(data["format"])
        wanted = list(dict.fromkeys(data["shipments"]))
        shipments = _shipments(client, data["shipments"])
        if len(wanted) <= MAX_AT_ONCE:
            content = print_labels([shipments[pk] for pk in wanted], page_format)
            return file_response(content, PDF, "labels")
        job = label_jobs.create(**client, shipments=wanted, page_format=page_format)
        start_labels(job)
        response = Response(LabelJobSerializer(_job_data(job)).data, status=202)
        response["Location"] = path_of("couriers_api:label-job", job.pk)
        ask_later(response, WORK)
        # JSON also where the client accepts the PDF alone.
        request.accepted_renderer = ApiRenderer()
        request.accepted_media_type = ApiRenderer.media_type
        return response


class LabelJobView(ApiView):
    """Show one PDF of many labels."""

    @extend_schema(operation_id="get_label_job", responses={200: LabelJobSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """How far a PDF of many labels is, and which labels are missing."""
        job = get_object_or_404(_jobs(request), pk=pk)
        return Response(LabelJobSerializer(_job_data(job)).data)


class LabelFileView(ApiView):
    """Fetch a PDF of many labels."""

    renderer_classes = (ApiRenderer, PdfRenderer)

    @extend_schema(
        operation_id="get_label_file",
        responses={
            (200, PDF): OpenApiTypes.BINARY,
            **problems("labels-not-ready", "labels-missing"),
        },
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """The PDF of many labels. It is there for a day after it was made."""
        job = get_object_or_404(_jobs(request), pk=pk)
        if job.state == LabelJobState.PENDING:
            raise LabelsNotReady(WORK)
        if job.missing:
            named = [(one["position"], one["shipment"], one["reason"]) for one in job.missing]
            raise LabelsMissing(named)
        if not job.file or (job.expires_at and job.expires_at <= timezone.now()):
            raise Http404
        return sealed_pdf(label_jobs.pieces_of(job), job, f"labels-{job.pk}")


def _jobs(request: Request) -> QuerySet[LabelJob]:
    return LabelJob.objects.filter(**of_client(request))


def _shipments(client: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Shipment]:
    """Return the shipments by id. Raises InvalidRequest naming those the company does not have."""
    mine = Shipment.objects.filter(**client).select_related("account")
    found = mine.in_bulk(wanted)
    unknown = [
        FieldProblem(f"shipments[{number}]", "is no shipment of the company")
        for number, pk in enumerate(wanted)
        if pk not in found
    ]
    if unknown:
        raise InvalidRequest(unknown[:MAX_NAMED])
    return found


def _job_data(job: LabelJob) -> dict[str, Any]:
    is_done = job.state == LabelJobState.DONE
    return {
        "id": job.pk,
        "state": job.state,
        "format": job.page_format,
        "total": len(job.shipments),
        "pages": job.pages,
        "file": path_of("couriers_api:label-file", job.pk) if is_done else None,
        "missing": job.missing,
        "reason": job.reason,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
    }
