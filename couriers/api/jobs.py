"""Bulk bookings over the API: one request submits the orders, another reads their outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of
from couriers.api.base import ApiView
from couriers.api.fields import moment
from couriers.api.headers import WORK, ask_later
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    ProblemFieldSerializer,
    ShipmentDraftSerializer,
    StrictSerializer,
    draft_of,
)
from couriers.booking.bulk import create_job
from couriers.models import BulkJob
from couriers.models.addresses import path_of
from couriers.models.job import JobState, OrderOutcome
from couriers.tasks import start_job

MAX_ORDERS = 10_000  # in the schema; BULK_MAX_ORDERS is the limit of a deployment


class BulkRequestSerializer(StrictSerializer):
    """Orders to book, each with its own number. A deployment allows 1,000 by default."""

    orders = serializers.ListField(
        child=ShipmentDraftSerializer(), min_length=1, max_length=MAX_ORDERS
    )


class BulkOrderSerializer(serializers.Serializer[Any]):
    """The outcome of one order. `errors` names the invalid fields of a rejected order."""

    order_number = serializers.CharField()
    outcome = serializers.ChoiceField(choices=OrderOutcome.choices)
    shipment = serializers.CharField(allow_null=True)
    tracking_id = serializers.CharField()
    reason = serializers.CharField()
    errors = ProblemFieldSerializer(many=True)  # type: ignore[assignment]


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

    @extend_schema(request=BulkRequestSerializer, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        """Book many orders, each exactly once; the order number is the key of its booking.

        202: workers book the orders, and `Location` is where to ask for the progress. An order
        that an earlier job has booked is `already_booked`. A rejected order delays no other.
        """
        serializer = BulkRequestSerializer.from_data(request.data)
        drafts = [draft_of(order) for order in serializer.validated_data["orders"]]
        job = create_job(company_of(request), drafts)
        start_job(job)
        response = Response(_job_data(job), status=202)
        response["Location"] = path_of("couriers_api:job", job.pk)
        ask_later(response, WORK)
        return response


class JobView(ApiView):
    """Read one job."""

    @extend_schema(responses={200: JobSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """The outcome of each order of a job, and how many orders have each outcome."""
        job = get_object_or_404(BulkJob, company=company_of(request), pk=pk)
        return Response(_job_data(job))


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
                }
                for order in orders
            ],
        }
    ).data
