"""Manifests over the API: asked for at once, made by workers, their documents in one list."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from couriers.api.authentication import company_of
from couriers.api.pagination import PAGING, page
from couriers.api.responses import CONFLICT, PROBLEMS
from couriers.api.serializers import Strict, text
from couriers.booking.preparation import account_of
from couriers.fulfilment.manifests import (
    MAX_SHIPMENTS,
    create_for_day,
    create_for_shipments,
    documents_and_failures,
    progress_of,
)
from couriers.models import Manifest
from couriers.models.manifest import ManifestState
from couriers.tasks import start_manifest


class ManifestRequestSerializer(Strict):
    """Either `shipments`, by their ids, or `date`: what was booked on that day (India time)."""

    courier = text(30)
    shipments = serializers.ListField(
        child=text(40), min_length=1, max_length=MAX_SHIPMENTS, required=False
    )
    date = serializers.DateField(required=False)
    again = serializers.BooleanField(
        required=False, default=False, help_text="Also those that are in a manifest already."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("shipments" in attrs) == ("date" in attrs):
            raise serializers.ValidationError({"shipments": ["give either these or a date"]})
        return attrs


class ManifestDocumentSerializer(serializers.Serializer[Any]):
    """One of the courier's documents, and how many shipments it lists."""

    number = serializers.CharField()
    url = serializers.URLField()
    shipments = serializers.IntegerField()


class ManifestProgressSerializer(serializers.Serializer[Any]):
    """How far it is."""

    chunks = serializers.IntegerField()
    chunks_done = serializers.IntegerField()
    chunks_failed = serializers.IntegerField()
    shipments = serializers.IntegerField()
    shipments_done = serializers.IntegerField()


class ManifestFailureSerializer(serializers.Serializer[Any]):
    """A part that was given up; its shipments may be asked for again."""

    chunk = serializers.IntegerField()
    reason = serializers.CharField()


class ManifestSummarySerializer(serializers.Serializer[Any]):
    """`pending`, `done`, or `failed` when a part of it was given up."""

    id = serializers.CharField()
    courier = serializers.CharField()
    state = serializers.ChoiceField(choices=ManifestState.choices)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ManifestSerializer(ManifestSummarySerializer):
    """A manifest with its progress and its one list of documents."""

    progress = ManifestProgressSerializer()
    documents = ManifestDocumentSerializer(many=True)
    failures = ManifestFailureSerializer(many=True)


class ManifestCreatedSerializer(ManifestSerializer):
    """`already_in_manifest` counts the shipments that were left out, being in one already."""

    already_in_manifest = serializers.IntegerField()


class ManifestPageSerializer(serializers.Serializer[Any]):
    """A page of manifests, the newest first; `next` is null on the last one."""

    results = ManifestSummarySerializer(many=True)
    next = serializers.URLField(allow_null=True)


class ManifestsView(APIView):
    """The company's manifests."""

    @extend_schema(
        operation_id="manifests_list",
        parameters=PAGING,
        responses={200: ManifestPageSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Manifests, the newest first, a page at a time."""
        found, following = page(request, _of_company(request), prefix="mft")
        results = [ManifestSummarySerializer(_summary(one)).data for one in found]
        return Response({"results": results, "next": following})

    @extend_schema(
        request=ManifestRequestSerializer,
        responses={
            200: ManifestCreatedSerializer,
            202: ManifestCreatedSerializer,
            **PROBLEMS,
            **CONFLICT,
        },
    )
    def post(self, request: Request) -> Response:
        """Have a manifest made of shipments that await their pickup.

        202: workers are at it, follow `Location`. 200: all of them were in a manifest already,
        and this is the newest that has them. Asked twice, nothing is made twice.
        """
        asked = ManifestRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        account = account_of(company_of(request), data["courier"])
        if "shipments" in data:
            created = create_for_shipments(account, data["shipments"], again=data["again"])
        else:
            created = create_for_day(account, data["date"], again=data["again"])
        if created.is_new:
            start_manifest(created.manifest)
        shown = _detail(_of_company(request).get(pk=created.manifest.pk))
        body = ManifestCreatedSerializer(shown | {"already_in_manifest": created.left_out}).data
        response = Response(body, status=202 if created.is_new else 200)
        response["Location"] = f"/api/v1/manifests/{created.manifest.pk}/"
        return response


class ManifestView(APIView):
    """One manifest."""

    @extend_schema(responses={200: ManifestSerializer, **PROBLEMS})
    def get(self, request: Request, pk: str) -> Response:
        """A manifest: how far it is, and its documents."""
        manifest = get_object_or_404(_of_company(request), pk=pk)
        return Response(ManifestSerializer(_detail(manifest)).data)


def _of_company(request: Request) -> QuerySet[Manifest]:
    return Manifest.objects.filter(company=company_of(request)).select_related("account")


def _summary(manifest: Manifest) -> dict[str, Any]:
    return {
        "id": manifest.pk,
        "courier": manifest.account.courier_id,
        "state": manifest.state,
        "created_at": manifest.created_at,
        "finished_at": manifest.finished_at,
    }


def _detail(manifest: Manifest) -> dict[str, Any]:
    chunks = list(manifest.chunks.all())
    progress = dataclasses.asdict(progress_of(chunks))
    return _summary(manifest) | {"progress": progress} | documents_and_failures(chunks)
