"""Jobs of bulk bookings over the API: their progress, what became of each order, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.fields import moment
from couriers.api.filters import UtcDateTimeFilter, filtered
from couriers.api.pagination import PAGING, PAGING_IN_ORDER, page, page_in_order
from couriers.api.renderers import ApiRenderer, CsvRenderer
from couriers.api.schema import extend_schema
from couriers.api.serializers import FieldWarningSerializer, ProblemFieldSerializer
from couriers.api.shipment_parts import BookingAttemptSerializer
from couriers.booking.answers import attempts_data, prefetch_attempts, warnings_data
from couriers.booking.bulk_jobs import cancel_job
from couriers.booking.bulk_report import counts_of, report_text
from couriers.models import BulkJob, BulkOrder, Scope
from couriers.models.job import JobState, OrderOutcome


class JobSerializer(serializers.Serializer[Any]):
    """A job. `counts` has a number for every outcome; they add up to `total`."""

    id = serializers.CharField()
    is_test = serializers.BooleanField()
    state = serializers.ChoiceField(choices=JobState.choices)
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    created_at = moment()
    finished_at = moment(allow_null=True)
    cancelled_at = moment(allow_null=True)


class JobPageSerializer(serializers.Serializer[Any]):
    """A page of jobs, newest first. `next` is null on the last page."""

    results = JobSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class BulkOrderSerializer(serializers.Serializer[Any]):
    """The outcome of one order. `errors` are of a rejected order, `warnings` of a booked one.

    `courier` and `booking_attempts` are those of its shipment, as they are now.
    """

    order_number = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OrderOutcome.choices)
    shipment = serializers.CharField(allow_null=True)
    courier = serializers.CharField(help_text='"" where the order has no shipment.')
    tracking_id = serializers.CharField()
    reason = serializers.CharField()
    booking_attempts = BookingAttemptSerializer(
        many=True, help_text="With whom the order was to be booked, the present attempt last."
    )
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]
    warnings = FieldWarningSerializer(many=True)


class BulkOrderPageSerializer(serializers.Serializer[Any]):
    """A page of the orders of a job, as they were sent. `next` is null on the last page."""

    results = BulkOrderSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class JobFilter(filters.FilterSet):
    """Filters of the list of jobs."""

    state = filters.ChoiceFilter(lookup_expr="exact", choices=JobState.choices)
    created_after = UtcDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = UtcDateTimeFilter(field_name="created_at", lookup_expr="lt")


class OrderFilter(filters.FilterSet):
    """The filter of the orders of a job."""

    outcome = filters.MultipleChoiceFilter(
        lookup_expr="exact", choices=OrderOutcome.choices, distinct=False
    )


_TIME = {"type": "string", "format": "date-time"}
JOB_FILTERS = [
    OpenApiParameter("state", {"type": "string", "enum": JobState.values}),
    OpenApiParameter("created_after", _TIME),
    OpenApiParameter("created_before", _TIME),
]
OUTCOME = OpenApiParameter(
    "outcome",
    enum=OrderOutcome.values,
    many=True,
    description="Orders with one of these outcomes.",
)


class JobsView(ApiView):
    """List jobs."""

    @extend_schema(parameters=[*PAGING, *JOB_FILTERS], responses={200: JobPageSerializer})
    def get(self, request: Request) -> Response:
        """A page of the company's jobs, newest first."""
        found, following = page(request, filtered(request, JobFilter, _jobs(request)), prefix="job")
        return Response({"results": _jobs_data(found), "next": following})


class JobView(ApiView):
    """Read one job."""

    @extend_schema(responses={200: JobSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """A job, and how many of its orders have each outcome."""
        return Response(job_data(get_object_or_404(_jobs(request), pk=pk)))


class JobOrdersView(ApiView):
    """Read what became of the orders of a job."""

    renderer_classes = (ApiRenderer, CsvRenderer)

    @extend_schema(
        parameters=[*PAGING_IN_ORDER, OUTCOME],
        responses={
            (200, "application/json"): BulkOrderPageSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        """A page of the orders of a job, in the order of the request.

        As CSV it is the report of `book_orders`: all orders, without pages.
        """
        job = get_object_or_404(_jobs(request), pk=pk)
        orders = filtered(request, OrderFilter, BulkOrder.objects.filter(job=job))
        if isinstance(request.accepted_renderer, CsvRenderer):
            if paging := {"cursor", "page_size"} & request.query_params.keys():
                raise serializers.ValidationError({name: ["CSV has no pages"] for name in paging})
            return HttpResponse(report_text(orders), content_type=CsvRenderer.content_type)
        orders = orders.select_related("shipment").defer("request")
        found, following = page_in_order(request, orders, by="position")
        prefetch_attempts(order.shipment for order in found if order.shipment)
        return Response({"results": [_order_data(order) for order in found], "next": following})


class CancelJobView(ApiView):
    """Cancel a job."""

    @extend_schema(scope=Scope.BOOK, request=None, responses={200: JobSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Cancel what has not begun: those orders end as `skipped`, and what is under way ends.

        A job that has ended, or is cancelled already, is answered as it is.
        """
        job = get_object_or_404(_jobs(request), pk=pk)
        cancel_job(job)
        job.refresh_from_db()
        return Response(job_data(job))


def job_data(job: BulkJob) -> Any:
    """Return the body that describes a job."""
    return _jobs_data([job])[0]


def _jobs(request: Request) -> QuerySet[BulkJob]:
    return BulkJob.objects.filter(**of_client(request))


def _jobs_data(jobs: Sequence[BulkJob]) -> list[Any]:
    counts = counts_of(jobs)
    return [
        {
            "id": job.pk,
            "is_test": job.is_test,
            "state": job.state,
            "total": job.total,
            "counts": counts[job.pk],
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "cancelled_at": job.cancelled_at,
        }
        for job in jobs
    ]


def _order_data(order: BulkOrder) -> dict[str, Any]:
    shipment = order.shipment
    return {
        "order_number": order.order_number,
        "outcome": order.outcome,
        "shipment": order.shipment_id,
        "courier": shipment.courier_id if shipment else "",
        "tracking_id": shipment.tracking_id if shipment else "",
        "reason": order.reason,
        "booking_attempts": attempts_data(shipment) if shipment else [],
        "errors": order.problems,
        "warnings": warnings_data(shipment) if shipment else [],
    }
