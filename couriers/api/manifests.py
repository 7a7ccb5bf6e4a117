"""Manifests over the API. A request creates the manifest, and workers make its documents."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.client_accounts import client_account
from couriers.api.fields import day, moment, text
from couriers.api.headers import WORK, ask_later
from couriers.api.pagination import PAGING, page
from couriers.api.problem_schema import problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.fulfilment.manifest_progress import documents_and_failures, progress_of
from couriers.fulfilment.manifests import (
    MAX_SHIPMENTS,
    create_for_day,
    create_for_shipments,
)
from couriers.models import Manifest, Scope
from couriers.models.addresses import path_of
from couriers.models.manifest import ManifestState
from couriers.tasks import start_manifest


class ManifestRequestSerializer(StrictSerializer):
    """Either `shipments`, a list of ids, or `date`: the shipments booked on that day in India."""

    courier = text(30)
    shipments = serializers.ListField(
        child=text(40), min_length=1, max_length=MAX_SHIPMENTS, required=False
    )
    date = day(required=False)
    again = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: also the shipments that are already in a manifest.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("shipments" in attrs) == ("date" in attrs):
            raise serializers.ValidationError({"shipments": ["give either shipments or a date"]})
        return attrs


class ManifestDocumentSerializer(serializers.Serializer[Any]):
    """A document: its number at the courier, its path here, and how many shipments it lists."""

    number = serializers.CharField()
    url = serializers.CharField(help_text="The path of the PDF.")
    shipments = serializers.IntegerField()


class ManifestProgressSerializer(serializers.Serializer[Any]):
    """How many parts of a manifest (`chunks`) and how many of its shipments are done."""

    chunks = serializers.IntegerField()
    chunks_done = serializers.IntegerField()
    chunks_failed = serializers.IntegerField()
    shipments = serializers.IntegerField()
    shipments_done = serializers.IntegerField()


class ManifestFailureSerializer(serializers.Serializer[Any]):
    """A part that failed for good. Its shipments can be put in another manifest."""

    chunk = serializers.IntegerField()
    reason = serializers.CharField()


class ManifestSummarySerializer(serializers.Serializer[Any]):
    """A manifest. Its state is `pending`, `done`, or `failed` where a part failed for good."""

    id = serializers.CharField()
    courier = serializers.CharField()
    state = serializers.ChoiceField(choices=ManifestState.choices)
    created_at = moment()
    finished_at = moment(allow_null=True)


class ManifestSerializer(ManifestSummarySerializer):
    """A manifest with its progress, all its documents and the parts that failed."""

    progress = ManifestProgressSerializer()
    documents = ManifestDocumentSerializer(many=True)
    failures = ManifestFailureSerializer(many=True)


class ManifestCreatedSerializer(ManifestSerializer):
    """A manifest as created. `already_in_manifest` counts the shipments that were left out."""

    already_in_manifest = serializers.IntegerField()


class ManifestPageSerializer(serializers.Serializer[Any]):
    """A page of manifests, newest first. `next` is null on the last page."""

    results = ManifestSummarySerializer(many=True)
    next = serializers.URLField(allow_null=True)


OF_THE_MANIFEST = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[200],
    description="Where to ask for the manifest.",
    required=True,
)


class ManifestsView(ApiView):
    """List and create manifests."""

    @extend_schema(
        parameters=PAGING,
        responses={200: ManifestPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """A page of the company's manifests, newest first."""
        found, following = page(request, _company_manifests(request), prefix="mft")
        results = [ManifestSummarySerializer(_summary_data(manifest)).data for manifest in found]
        return Response({"results": results, "next": following})

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="create_manifest",
        request=ManifestRequestSerializer,
        parameters=[OF_THE_MANIFEST],
        responses={
            200: ManifestCreatedSerializer,
            202: ManifestCreatedSerializer,
            **problems("not-supported", "not-awaiting-pickup", "nothing-to-manifest"),
        },
    )
    def post(self, request: Request) -> Response:
        """Create a manifest of shipments that await their pickup.

        202: workers make the documents; `Location` is where to ask for the progress. 200: all of
        the shipments were already in a manifest, and the newest one is returned. A repeated
        request creates nothing twice.
        """
        serializer = ManifestRequestSerializer.from_data(request.data)
        data = serializer.validated_data
        account = client_account(request, data["courier"])
        if "shipments" in data:
            created = create_for_shipments(account, data["shipments"], again=data["again"])
        else:
            created = create_for_day(account, data["date"], again=data["again"])
        if created.is_new:
            start_manifest(created.manifest)
        detail = _manifest_data(_company_manifests(request).get(pk=created.manifest.pk))
        body = ManifestCreatedSerializer(detail | {"already_in_manifest": created.left_out}).data
        response = Response(body, status=202 if created.is_new else 200)
        response["Location"] = path_of("couriers_api:manifest", created.manifest.pk)
        ask_later(response, WORK)
        return response


class ManifestView(ApiView):
    """Show one manifest."""

    @extend_schema(responses={200: ManifestSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """A manifest with its progress and its documents."""
        manifest = get_object_or_404(_company_manifests(request), pk=pk)
        return Response(ManifestSerializer(_manifest_data(manifest)).data)


def _company_manifests(request: Request) -> QuerySet[Manifest]:
    return Manifest.objects.filter(
        company=company_of(request), account__is_test=is_test(request)
    ).select_related("account")


def _summary_data(manifest: Manifest) -> dict[str, Any]:
    return {
        "id": manifest.pk,
        "courier": manifest.account.courier_id,
        "state": manifest.state,
        "created_at": manifest.created_at,
        "finished_at": manifest.finished_at,
    }


def _manifest_data(manifest: Manifest) -> dict[str, Any]:
    chunks = list(manifest.chunks.all())
    progress = dataclasses.asdict(progress_of(chunks))
    return _summary_data(manifest) | {"progress": progress} | documents_and_failures(chunks)
