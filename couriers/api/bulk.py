"""Bulk bookings over the API: one request hands in many orders, as JSON or as a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.db import IntegrityError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api import bulk_json
from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.bulk_bodies import CsvBody, JsonBody, open_body
from couriers.api.headers import WORK, ask_later
from couriers.api.jobs import JobSerializer, job_data
from couriers.api.problem_schema import problems
from couriers.api.problems import field_errors
from couriers.api.schema import extend_schema
from couriers.api.serializers import ShipmentDraftSerializer, StrictSerializer
from couriers.api.shipments import IDEMPOTENCY_KEY, idempotency_key
from couriers.booking.bulk_jobs import OrderRequest, check_count, create_job
from couriers.booking.fingerprints import fingerprint_of, is_fingerprint_of
from couriers.booking.spreadsheet import FORMAT_NAMES, FileUnusable, read_defaults
from couriers.booking.spreadsheet.uploads import FILE, read_upload
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.platform_errors import KeyReused, TooManyJobs
from couriers.contract.registry import AUTO, CourierFactory
from couriers.models import BulkJob, Scope
from couriers.models.addresses import path_of
from couriers.tasks import start_job

MAX_ORDERS = 10_000  # in the schema; BULK_MAX_ORDERS is the limit of a deployment
MAX_PROBLEMS = 20  # of one order that is not valid
MAX_LENGTH = 2000  # characters of a parameter


class OrdersField(serializers.ListField):
    """Orders, of which each was checked on its own as it was read (bulk_json)."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError("must be a list")
        check_count(len(data))
        return data


class BulkRequestSerializer(StrictSerializer):
    """Orders to book, each with its own number. A deployment may allow fewer of them."""

    orders = OrdersField(child=ShipmentDraftSerializer(), min_length=1, max_length=MAX_ORDERS)


def _of_csv(name: str, schema: Any, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=f"With CSV alone: {description}", **more)


CSV_PARAMETERS = [
    _of_csv(
        "courier",
        {"type": "string", "maxLength": 30},
        "who carries the orders whose rows name no courier. "
        "`auto`, as without it: the company's rules choose.",
    ),
    _of_csv(
        "file_format",
        {"type": "string", "enum": ["auto", *FORMAT_NAMES]},
        "what wrote the file; by default as its headings show.",
    ),
    _of_csv(
        "default",
        str,
        "what neither the file nor the company's products tell of all goods, as `gst_rate=5`.",
        many=True,
    ),
    _of_csv(
        "ignore_columns",
        {"type": "string", "maxLength": MAX_LENGTH},
        "headings of columns that are not to be read, separated by commas.",
    ),
]


class BulkView(ApiView):
    """Hand in many orders."""

    parser_classes = (JsonBody, CsvBody)

    @extend_schema(
        operation_id="book_shipments",
        scope=Scope.BOOK,
        request={"application/json": BulkRequestSerializer, "text/csv": OpenApiTypes.STR},
        parameters=[IDEMPOTENCY_KEY, *CSV_PARAMETERS],
        responses={202: JobSerializer, **problems("key-reused", "too-many-jobs", "not-sent")},
    )
    def post(self, request: Request) -> Response:
        """Book many orders, each exactly once; the order number is the key of its booking.

        202: workers book the orders, and `Location` is where to ask for the progress. An order
        that an earlier job has booked is `already_booked`. An order that is not valid is
        `rejected` and delays no other. An `Idempotency-Key` names the job: the same request with
        the same key is answered with the same job. A company may have a number of open jobs at
        once, and companies are served in turn. A spreadsheet is read as `book_orders` reads it.
        """
        client, key = of_client(request), idempotency_key(request) or ""
        read = _Csv(request) if _is_csv(request) else _Json(request)
        with open_body(request) as body:
            facts = [read.name, read.settings, body.digest]
            job = _find_job(client, key, facts)
            if job is not None:
                return _job_response(job, replayed=True)
            orders = read.orders(client, body.file)
            try:
                job = create_job(
                    **client, orders=orders, key=key, fingerprint=fingerprint_of(facts)
                )
            except (IntegrityError, TooManyJobs):
                # The same request may have come twice at once, and taken the last place.
                if (job := _find_job(client, key, facts)) is None:
                    raise
                return _job_response(job, replayed=True)
        start_job(job)
        return _job_response(job)


class _Json:
    """Reads the orders of a body in JSON. Raises ValidationError for parameters of CSV."""

    name = "json"

    def __init__(self, request: Request) -> None:
        self.settings: dict[str, Any] = {}
        given = {p.name for p in CSV_PARAMETERS} & request.query_params.keys()
        if given:
            raise serializers.ValidationError({name: ["is for a body in CSV"] for name in given})

    def orders(self, client: Mapping[str, Any], file: IO[bytes]) -> Iterator[OrderRequest]:
        """Yield the orders. Raises ParseError and ValidationError for the body as a whole."""
        fields: dict[str, Any] = {}
        if file.read(1):
            file.seek(0)
            for number, order in enumerate(bulk_json.read_orders(file, fields), start=1):
                check_count(number)
                yield _order_request(order)
        BulkRequestSerializer.from_data(fields)


class _Csv:
    """Reads the orders of a body in CSV, by the request's parameters. Raises ValidationError."""

    name = "csv"

    def __init__(self, request: Request) -> None:
        given = request.query_params
        self.courier = given.get("courier", "") or AUTO
        self.format_name = given.get("file_format", "auto")
        self.ignored = [name.strip() for name in given.get("ignore_columns", "").split(",")]
        self.settings = {name: given.getlist(name) for name in sorted(given)}
        wrong = {
            name: [f"is longer than {MAX_LENGTH} characters"]
            for name, values in self.settings.items()
            if len("".join(values)) > MAX_LENGTH
        }
        if self.courier not in (AUTO, *CourierFactory.codes()):
            wrong["courier"] = ["is not a courier of this platform"]
        if self.format_name not in ("auto", *FORMAT_NAMES):
            wrong["file_format"] = [f"must be one of auto, {', '.join(FORMAT_NAMES)}"]
        if wrong:
            raise serializers.ValidationError(wrong)
        try:
            self.defaults = read_defaults(given.getlist("default"))
        except FileUnusable as error:
            raise serializers.ValidationError({"default": [str(error)]}) from None

    def orders(self, client: Mapping[str, Any], file: IO[bytes]) -> Iterator[OrderRequest]:
        """Yield the orders. Raises InvalidRequest for a file that cannot be used."""
        try:
            yield from read_upload(
                **client,
                courier=self.courier,
                content=file.read(),
                format_name=self.format_name,
                ignored=[name for name in self.ignored if name],
                defaults=self.defaults,
            )
        except FileUnusable as error:
            message = str(error).removeprefix(f"{FILE}: ")
            raise InvalidRequest([FieldProblem("body", message)]) from None


def _is_csv(request: Request) -> bool:
    kind = request.content_type.partition(";")[0].strip().lower()
    return bool(kind == CsvBody.media_type)


def _find_job(client: Mapping[str, Any], key: str, facts: Any) -> BulkJob | None:
    """Return the job of an earlier request with the key. Raises KeyReused for another request."""
    job = BulkJob.objects.filter(**client, idempotency_key=key).first() if key else None
    if job is not None and not is_fingerprint_of(job.fingerprint, facts):
        raise KeyReused(("orders",))
    return job


def _order_request(data: Any) -> OrderRequest:
    """Return one order of a request, rejected with its problems if it is not valid."""
    number = data.get("order_number") if isinstance(data, dict) else None
    number = number.strip() if isinstance(number, str) else ""
    try:
        return OrderRequest.of(ShipmentDraftSerializer.from_data(data).draft())
    except serializers.ValidationError as error:
        found = [
            FieldProblem(problem["field"] or "order", problem["message"])
            for problem in field_errors(error.detail)
        ]
        return OrderRequest.rejected(number, *found[:MAX_PROBLEMS])


def _job_response(job: BulkJob, *, replayed: bool = False) -> Response:
    response = Response(job_data(job), status=202)
    response["Location"] = path_of("couriers_api:job", job.pk)
    ask_later(response, WORK)
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response
