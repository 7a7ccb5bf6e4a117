"""Bulk bookings over the API: one request submits the orders, another reads their outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import IntegrityError
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import moment
from couriers.api.headers import WORK, ask_later
from couriers.api.problem_schema import problems
from couriers.api.problems import field_errors
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    FieldWarningSerializer,
    ProblemFieldSerializer,
    ShipmentDraftSerializer,
    StrictSerializer,
)
from couriers.api.shipments import IDEMPOTENCY_KEY, idempotency_key
from couriers.booking.answers import warnings_data
from couriers.booking.bulk_jobs import (
    OrderRequest,
    check_count,
    check_open_jobs,
    create_job,
)
from couriers.booking.fingerprints import fingerprint_of, is_fingerprint_of
from couriers.contract.errors import FieldProblem
from couriers.contract.platform_errors import KeyReused, TooManyJobs
from couriers.models import BulkJob, Company, Scope
from couriers.models.addresses import path_of
from couriers.models.job import JobState, OrderOutcome
from couriers.tasks import start_job

MAX_ORDERS = 10_000  # in the schema; BULK_MAX_ORDERS is the limit of a deployment
MAX_PROBLEMS = 20  # of one order that is not valid


class OrdersField(serializers.ListField):
    """Orders as they were sent. Their number is checked here, and each of them on its own later."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError("must be a list")
        check_count(len(data))
        return data


class BulkRequestSerializer(StrictSerializer):
    """Orders to book, each with its own number. A deployment allows 1,000 by default."""

    orders = OrdersField(child=ShipmentDraftSerializer(), min_length=1, max_length=MAX_ORDERS)


class BulkOrderSerializer(serializers.Serializer[Any]):
    """The outcome of one order. `errors` are of a rejected order, `warnings` of a booked one."""

    order_number = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OrderOutcome.choices)
    shipment = serializers.CharField(allow_null=True)
    tracking_id = serializers.CharField()
    reason = serializers.CharField()
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]
    warnings = FieldWarningSerializer(many=True)


class JobSerializer(serializers.Serializer[Any]):
    """A job. `counts` has a number for every outcome; they add up to `total`."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    created_at = moment()
    finished_at = moment(allow_null=True)
    orders = BulkOrderSerializer(many=True)


class BulkView(ApiView):
    """Submit many orders."""

    @extend_schema(
        scope=Scope.BOOK,
        request=BulkRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={202: JobSerializer, **problems("key-reused", "too-many-jobs")},
    )
    def post(self, request: Request) -> Response:
        """Book many orders, each exactly once; the order number is the key of its booking.

        202: workers book the orders, and `Location` is where to ask for the progress. An order
        that an earlier job has booked is `already_booked`. An order that is not valid is
        `rejected` and delays no other. An `Idempotency-Key` names the job: the same request with
        the same key is answered with the same job. A company may have a number of open jobs at
        once, and companies are served in turn.
        """
        company, key = company_of(request), idempotency_key(request) or ""
        serializer = BulkRequestSerializer.from_data(request.data)
        job = _find_job(company, key, request.data)
        if job is not None:
            return _job_response(job, replayed=True)
        check_open_jobs(company)  # before the orders are read, which takes long
        orders = [_order_request(order) for order in serializer.validated_data["orders"]]
        try:
            job = create_job(company, orders, key=key, fingerprint=fingerprint_of(request.data))
        except (IntegrityError, TooManyJobs):
            # The same request may have come twice at once, and taken the last place.
            if (job := _find_job(company, key, request.data)) is None:
                raise
            return _job_response(job, replayed=True)
        start_job(job)
        return _job_response(job)


class JobView(ApiView):
    """Read one job."""

    @extend_schema(responses={200: JobSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """The outcome of each order of a job, and how many orders have each outcome."""
        job = get_object_or_404(BulkJob, company=company_of(request), pk=pk)
        return Response(_job_data(job))


def _find_job(company: Company, key: str, data: Any) -> BulkJob | None:
    """Return the job of an earlier request with the key. Raises KeyReused for another request."""
    job = BulkJob.objects.filter(company=company, idempotency_key=key).first() if key else None
    if job is not None and not is_fingerprint_of(job.fingerprint, data):
        raise KeyReused(("orders",))
    return job


def _order_request(data: Any) -> OrderRequest:
    """Return one order of a request, with its problems instead of a draft if it is not valid."""
    number = data.get("order_number") if isinstance(data, dict) else None
    number = number.strip() if isinstance(number, str) else ""
    try:
        return OrderRequest(number, ShipmentDraftSerializer.from_data(data).draft())
    except serializers.ValidationError as error:
        found = [
            FieldProblem(problem["field"] or "order", problem["message"])
            for problem in field_errors(error.detail)
        ]
        return OrderRequest(number, None, tuple(found[:MAX_PROBLEMS]))


def _job_response(job: BulkJob, *, replayed: bool = False) -> Response:
    response = Response(_job_data(job), status=202)
    response["Location"] = path_of("couriers_api:job", job.pk)
    ask_later(response, WORK)
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _job_data(job: BulkJob) -> Any:
    orders = list(job.orders.select_related("shipment").defer("request"))
    counts = Counter(order.outcome for order in orders)
    return JobSerializer(
        {
            "id": job.pk,
            "state": job.state,
            "total": job.total,
            "counts": {outcome: counts[outcome] for outcome in OrderOutcome.values},
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "orders": [
                {
                    "order_number": order.order_number,
                    "outcome": order.outcome,
                    "shipment": order.shipment_id,
                    "tracking_id": order.shipment.tracking_id if order.shipment else "",
                    "reason": order.reason,
                    "errors": order.problems,
                    "warnings": warnings_data(order.shipment) if order.shipment else [],
                }
                for order in orders
            ],
        }
    ).data
